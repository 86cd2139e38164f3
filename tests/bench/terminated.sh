# shellcheck shell=bash disable=SC2015,SC2154,SC2034  # A && B || C is meant; variables of run's
# terminated.sh - rows of `run`: connections whose TLS ends in the vault.
#
# The peer is the distribution's nginx as a TLS proxy in front of the same server, with a worker for
# each core, connections to the server that stay, certificates checked, a field set and an access
# log written, as the vault does.  The client is the same: with nginx on the host, with bawn inside.

terminated_host=secret.bench.test

# An authority and one leaf, for the server and for nginx alike.
terminated_certs() {
	local d=$work/tls
	mkdir -p "$d" && cd "$d" || return 1
	{
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key \
			-out ca.pem -days 2 -subj "/CN=bench authority" &&
			openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem \
				-out leaf.csr -subj "/CN=$terminated_host" &&
			openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
				-out cert.pem -days 2 \
				-extfile <(echo "subjectAltName=DNS:$terminated_host")
	} 2>"$errors"
}

# Where nginx is not installed it is only unpacked: nobody's server starts by it.  Sets nginx.
find_nginx() {
	nginx=$(PATH=$PATH:/usr/sbin command -v nginx) && return
	nginx=$scratch/nginx/usr/sbin/nginx
	[ -x "$nginx" ] && return
	mkdir -p "$scratch/nginx" && cd "$scratch/nginx" || return 1
	say "unpacks nginx of the distribution"
	apt-get -q download nginx >"$errors" 2>&1 && dpkg -x nginx_*.deb . && [ -x "$nginx" ]
}

# Sets nginx_port.
start_nginx() {
	local d=$work/nginx i try pid nginx
	mkdir -p "$d"
	find_nginx || {
		say "no nginx: $(tail -c 600 "$errors")"
		return 1
	}
	for ((try = 0; try < 20; try++)); do
		nginx_port=$((20000 + RANDOM % 12000))
		cat >"$d/conf" <<-N
			daemon off;
			worker_processes auto;
			pid $d/pid;
			error_log $d/error.log;
			events { worker_connections 4096; }
			http {
				access_log $d/access.log;
				client_body_temp_path $d/body;
				proxy_temp_path $d/proxy;
				fastcgi_temp_path $d/fastcgi;
				uwsgi_temp_path $d/uwsgi;
				scgi_temp_path $d/scgi;
				keepalive_requests 1000000000;
				upstream bench {
					server 127.0.0.1:$tls_port;
					keepalive 256;
					keepalive_requests 1000000000;
				}
				server {
					listen 127.0.0.1:$nginx_port ssl;
					ssl_certificate $work/tls/cert.pem;
					ssl_certificate_key $work/tls/key.pem;
					ssl_protocols TLSv1.2 TLSv1.3;
					location / {
						proxy_pass https://bench;
						proxy_http_version 1.1;
						proxy_set_header Connection "";
						proxy_set_header Host $terminated_host;
						proxy_set_header X-Bench sk-bench-0123456789abcdef;
						proxy_ssl_server_name on;
						proxy_ssl_name $terminated_host;
						proxy_ssl_verify on;
						proxy_ssl_trusted_certificate $work/tls/ca.pem;
						proxy_ssl_protocols TLSv1.2 TLSv1.3;
						proxy_max_temp_file_size 0;
					}
				}
			}
		N
		"$nginx" -p "$d" -c "$d/conf" -e "$d/error.log" 2>>"$errors" 9>&- &
		pid=$!
		for ((i = 0; i < 50; i++)); do
			sleep 0.1
			kill -0 $pid 2>/dev/null || break
			(: <>"/dev/tcp/127.0.0.1/$nginx_port") 2>/dev/null || continue
			pids+=("$pid")
			return 0
		done
		kill $pid 2>/dev/null
	done
	say "nginx: $(tail -c 600 "$d/error.log" "$errors")"
	return 1
}

terminated_start() {
	tool tls -lssl -lcrypto
	terminated_certs || {
		say "openssl: $(tail -c 600 "$errors")"
		return 1
	}
	mkfifo "$work/tls-server"
	"$work/tools/tls" serve "$work/tls/cert.pem" "$work/tls/key.pem" >"$work/tls-server" 9>&- &
	pids+=($!)
	read -r -t 10 tls_port <"$work/tls-server" || return 1
	start_nginx || return 1
	cat >"$work/keyed.yaml" <<-Y
		allow:
		  - $terminated_host
		credentials:
		  - secret: bench
		    hosts: [$terminated_host]
		    header: x-bench
		    env: [BENCH_KEY]
		    placeholder: "sk-stand-in-{16}"
	Y
	sed '/^credentials/,$d' "$work/keyed.yaml" >"$work/keyless.yaml"
	export SSL_CERT_FILE=$work/tls/ca.pem
	export BENCH_KEY=sk-bench-0123456789abcdef
	in_vault=("$bawn" run --rm --policy "$work/keyed.yaml" --audit "$work/audit.jsonl"
		--connect-to "$terminated_host:443:127.0.0.1:$tls_port" shell --)
}

# asks NAME FILE COMMAND...: the answer's line goes to FILE; without a single error among it
asks() {
	local name=$1 file=$2 rate errs rest
	shift 2
	ask "$name" "$@" || return 1
	read -r rate errs rest <<<"$answer"
	[ "${errs:-0}" = 0 ] || return 1
	echo "$answer" >>"$work/$file"
}

column() {
	awk -v c="$2" '{ print $c }' "$work/$1" | quantile "${3:-0.5}"
}

# Slices in turn, so that what else the machine does falls on all alike.
terminated_rates() {
	local i n slice
	slice=$(calc "$seconds / 10" 2)
	for n in 1 8 64; do
		for ((i = 0; i < 10; i++)); do
			asks vault "t.vault.$n" rate $terminated_host 443 $n "$slice" &&
				asks nginx "t.nginx.$n" rate $terminated_host "$nginx_port" $n "$slice" &&
				asks direct "t.direct.$n" rate $terminated_host "$tls_port" $n "$slice" || {
				unmeasured "terminated-$n" "terminated HTTPS, $n connections" "$answer"
				return
			}
		done
	done
	for n in 8 64 1; do
		local must=(">=" 0.5)
		[ $n != 1 ] || must=(none 0)
		row "terminated-$n" "terminated HTTPS requests/s, $n kept alive, of nginx" \
			"$(calc "$(column "t.vault.$n" 1) / $(column "t.nginx.$n" 1)")" "" \
			"${must[@]}" \
			"bawn $(column "t.vault.$n" 1 | cut -d. -f1)/s, nginx $(column "t.nginx.$n" 1 | cut -d. -f1)/s, direct $(column "t.direct.$n" 1 | cut -d. -f1)/s"
	done
	local mid tail
	mid=$(calc "($(column t.vault.1 3) - $(column t.direct.1 3)) / 1000")
	tail=$(calc "($(column t.vault.1 4) - $(column t.direct.1 4)) / 1000")
	row terminated-first "  first byte, over a direct connection, p50" "$mid" " ms" "<=" 1 \
		"bawn $(column t.vault.1 3) us, direct $(column t.direct.1 3) us, nginx $(column t.nginx.1 3) us"
	row terminated-first-p99 "  the same, p99" "$tail" " ms" none 0 \
		"bawn $(column t.vault.1 4) us, direct $(column t.direct.1 4) us, nginx $(column t.nginx.1 4) us"
}

terminated_bodies() {
	local i slice
	slice=$(calc "$seconds / 10" 2)
	for ((i = 0; i < 5; i++)); do
		asks vault t.vault.body body $terminated_host 443 64 "$slice" &&
			asks nginx t.nginx.body body $terminated_host "$nginx_port" 64 "$slice" || {
			unmeasured terminated-body "terminated HTTPS, large bodies" "$answer"
			return
		}
	done
	row terminated-body "terminated HTTPS, bodies of 64 MiB, of nginx" \
		"$(calc "$(column t.vault.body 1) / $(column t.nginx.body 1)")" "" ">=" 0.5 \
		"bawn $(calc "$(column t.vault.body 1) / 1e6" 0) MB/s, nginx $(calc "$(column t.nginx.body 1) / 1e6" 0) MB/s"
}

# Resident size of all of bawn's processes of the worker, in KiB.
vault_memory() {
	local pid name sum=0
	while read -r pid name; do
		sum=$((sum + $(awk '{ print $2 * 4 }' "/proc/$pid/statm")))
	done < <(bawn_processes "${worker_pid[vault]}")
	echo $sum
}

terminated_idle() {
	local n=500 before after
	ask vault hold $terminated_host 443 50 && sleep 1 && before=$(vault_memory) &&
		ask vault hold $terminated_host 443 $n && sleep 1 && after=$(vault_memory) || {
		unmeasured terminated-idle "memory of an idle terminated connection" "$answer"
		return
	}
	ask vault drop
	row terminated-idle "memory of an idle terminated connection" \
		"$(calc "($after - $before) / $n" 1)" " KiB" "<=" 64 \
		"$n of them, all of bawn's processes: $before to $after KiB"
}

terminated_starts() {
	local what="start, a credential without a value, of no credential"
	local with=(shell -- true) without=(env -u BENCH_KEY "$bawn" run --rm --policy)
	race valueless "$work/empty" "${without[@]}" "$work/keyed.yaml" "${with[@]}" \; \
		envless "$work/empty" "${without[@]}" "$work/keyless.yaml" "${with[@]}" &&
		race keyless "$work/empty" "$bawn" run --rm --policy "$work/keyless.yaml" "${with[@]}" \; \
			keyed "$work/empty" "$bawn" run --rm --policy "$work/keyed.yaml" "${with[@]}" || {
		unmeasured terminated-start "$what" "a command failed"
		return
	}
	row terminated-start "$what" "$(calc "${median[valueless]} / ${median[envless]}")" "" \
		"<=" 1.1 "$(times envless)$(times valueless)no vault is started"
	row terminated-keyed "start with a credential, of one without" \
		"$(calc "${median[keyed]} / ${median[keyless]}")" "" none 0 \
		"$(times keyless)$(times keyed)with a vault and an authority of its own"
}

bench_terminated() {
	local obey hello=drop tls_port nginx_port in_vault
	terminated_start || {
		unmeasured terminated "terminated HTTPS" "server, nginx or openssl did not start"
		return
	}
	obey=("$work/tools/tls" obey)
	worker vault "${in_vault[@]}" || {
		unmeasured terminated "terminated HTTPS" "a worker did not start"
		dismiss vault
		return
	}
	obey=("$work/tools/tls" obey 127.0.0.1)
	worker nginx env && worker direct env || {
		unmeasured terminated "terminated HTTPS" "a worker did not start"
		dismiss vault nginx direct
		return
	}
	terminated_rates
	terminated_bodies
	terminated_idle
	dismiss vault nginx direct
	terminated_starts
	unset SSL_CERT_FILE BENCH_KEY
}
