/* base/proxy-env.h - the variables that name the host's proxy, as curl(1) reads them, ENVIRONMENT.
 */
#ifndef BAWN_BASE_PROXY_ENV_H
#define BAWN_BASE_PROXY_ENV_H

/* The value of lower ("http_proxy"), or else of upper ("HTTP_PROXY"); NULL: neither has one. For a
 * CGI program (REQUEST_METHOD is set, RFC 3875) HTTP_PROXY is what a client sent as "Proxy:"
 * (httpoxy, CVE-2016-5385), and not read. */
const char *proxy_env(const char *lower, const char *upper);

#endif
