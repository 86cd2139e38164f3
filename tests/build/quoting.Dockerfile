FROM base
ENV A="a b" B='single $A' C=back\ slash D="esc \" quote" E="tab\tno"
ENV F="${A}x" G=${NOT_SET} H="${NOT_SET:-de fault}" I=$A$B J=a=b=c
ENV K=\$A L='it'"'"'s' M="multi \
line"
ENV N plain old   style with "quotes" and $A
ENV O=${A:+set} P="${NOT_SET:+no}" Q=\${A}
RUN printf '%s\n' "$A|$B|$C|$D|$E|$F|$G|$H|$I|$J|$K|$L|$M|$N|$O|$P|$Q" >/env
LABEL "com.example.vendor"="ACME Incorporated" com.example.label-with-value="foo" \
      version='1.0' description="This text illustrates \
that label-values can span multiple lines."
RUN echo 'single $A' "double $A" >/echo
CMD echo "$A" 'b'
