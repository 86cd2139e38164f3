# as an application is written that is cut into layers, on a runtime that a stage has made
FROM base AS jre-build
ENV JAVA_HOME=/opt/java/openjdk
RUN mkdir -p $JAVA_HOME/bin $JAVA_HOME/lib/server $JAVA_HOME/legal/java.base && echo j >$JAVA_HOME/bin/java && chmod 755 $JAVA_HOME/bin/java && \
    echo so >$JAVA_HOME/lib/server/libjvm.so && ln -s ../java.base/LICENSE $JAVA_HOME/legal/LINK && ln $JAVA_HOME/bin/java $JAVA_HOME/bin/javaw && \
    mkdir /javaruntime && busybox cp -a $JAVA_HOME/. /javaruntime/ && chmod 555 /javaruntime/lib/server/libjvm.so
FROM base AS builder
WORKDIR /builder
COPY application ./application
FROM base
ENV JAVA_HOME=/opt/java/openjdk
ENV PATH "${JAVA_HOME}/bin:${PATH}"
COPY --from=jre-build /javaruntime $JAVA_HOME
RUN echo 'spring:x:999:' >>/etc/group; echo 'spring:x:998:999::/:/bin/false' >>/etc/passwd
USER spring:spring
VOLUME /tmp
WORKDIR application
COPY --from=builder /builder/application/dependencies/ ./
COPY --from=builder /builder/application/loader/ ./
COPY --from=builder /builder/application/snapshot/ ./
COPY --from=builder /builder/application/application/ ./
ARG JAR=target/*.jar
ENTRYPOINT ["sh", "-c", "java ${JAVA_OPTS} org.Launcher ${0} ${@}"]
