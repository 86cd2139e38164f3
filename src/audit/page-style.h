/* audit/page-style.h - what of a report's page is the same in each: head, style, navigation.
 *
 * No script, no reference to anything outside: the policy in the head forbids both.
 */
#ifndef BAWN_AUDIT_PAGE_STYLE_H
#define BAWN_AUDIT_PAGE_STYLE_H

static const char page_head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	"style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n"
	"<meta name=\"referrer\" content=\"no-referrer\">\n";

static const char page_style[] =
	"<style>\n"
	":root{--bg:#f7f6f3;--card:#fff;--fg:#20242a;--dim:#5d6570;--line:#dcd9d2;--ok:#1b7f4b;"
	"--no:#b3261e;--a:#1f5fbf;--b:#c77700;--code:#efede8}\n"
	"@media (prefers-color-scheme:dark){:root{--bg:#14171b;--card:#1d2127;--fg:#e6e8eb;"
	"--dim:#9aa3ae;--line:#333a43;--ok:#5fce93;--no:#ff8a80;--a:#7fb0ff;--b:#f0b254;"
	"--code:#2a3038}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif}\n"
	"main,footer{max-width:60rem;margin:0 auto;padding:1rem}\n"
	"nav{position:sticky;top:0;z-index:1;background:var(--card);border-bottom:1px solid "
	"var(--line);padding:.5rem 1rem;display:flex;gap:1.2rem;flex-wrap:wrap;"
	"justify-content:center}\n"
	"a{color:var(--a)}\n"
	".skip{position:absolute;left:-99rem}.skip:focus{position:static}\n"
	":focus-visible{outline:3px solid var(--a);outline-offset:2px;border-radius:3px}\n"
	"header p{margin:.2rem 0;color:var(--dim);overflow-wrap:anywhere}"
	".brand{font-size:.8rem;letter-spacing:.08em;text-transform:uppercase}\n"
	"h1{margin:0;font-size:1.9rem;overflow-wrap:anywhere}"
	"h2{font-size:1.15rem;margin:0 0 .6rem}\n"
	"section,.tile{background:var(--card);border:1px solid var(--line);border-radius:10px}\n"
	"section{padding:1rem 1.2rem;margin:1rem 0;scroll-margin-top:3.5rem}\n"
	".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.8rem;"
	"margin:1rem 0}\n"
	".tile{padding:.7rem 1rem}dt{color:var(--dim);font-size:.85rem}"
	"dd{margin:0;font-size:1.5rem;font-weight:600}dd small{display:block;font-size:.8rem;"
	"font-weight:400;color:var(--dim)}.good dd{color:var(--ok)}.bad dd{color:var(--no)}\n"
	"figure{margin:0}svg{width:100%;height:auto;display:block}\n"
	"svg text{fill:var(--fg);font-size:13px}svg .label{text-anchor:end}"
	"svg .tick{fill:var(--dim)}svg .end{text-anchor:end}svg .axis{stroke:var(--line)}\n"
	"rect.lane0{fill:var(--dim)}rect.lane1{fill:var(--ok)}rect.lane2{fill:var(--no)}"
	"rect.down{fill:var(--a)}rect.up{fill:var(--b)}\n"
	".legend{margin:0 0 .4rem;color:var(--dim);font-size:.85rem}"
	".legend span::before{content:'';display:inline-block;width:.8em;height:.8em;"
	"margin-right:.4em;background:var(--a)}.legend .up{margin-left:1em}"
	".legend .up::before{background:var(--b)}\n"
	".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}"
	"th,td{text-align:left;vertical-align:top;padding:.35rem .7rem .35rem 0;"
	"border-bottom:1px solid var(--line);overflow-wrap:anywhere}th{color:var(--dim);"
	"font-weight:500;white-space:nowrap}.num{white-space:nowrap;font-variant-numeric:tabular-"
	"nums}\n"
	"code,.mono,.kind{font-family:ui-monospace,monospace;font-size:.88em}"
	"code{background:var(--code);border-radius:4px;padding:.1em .3em;overflow-wrap:anywhere}\n"
	"tr.lane2 .kind{color:var(--no)}tr.lane1 .kind{color:var(--ok)}\n"
	"summary{cursor:pointer;padding:.3rem 0}ul{margin:.2rem 0;padding-left:1.3rem;"
	"font-size:.9rem}li{overflow-wrap:anywhere}\n"
	".none,.note,footer{color:var(--dim)}footer{font-size:.85rem}\n"
	"@media print{nav,.skip{display:none}body{background:#fff;color:#000;font-size:11pt}"
	"section,.tile{break-inside:avoid-page;border-color:#999}main{max-width:none;padding:0}"
	".wide{overflow:visible}*{print-color-adjust:exact}}\n"
	"</style></head>\n";

static const char page_nav[] =
	"<body><a class=\"skip\" href=\"#main\">Skip to the report</a>\n"
	"<nav aria-label=\"sections\"><a href=\"#timeline\">Timeline</a><a href=\"#traffic\">"
	"Traffic</a><a href=\"#denials\">Denials</a><a href=\"#files\">Files</a>"
	"<a href=\"#sessions\">Sessions</a><a href=\"#guards\">Guards</a></nav>\n"
	"<main id=\"main\">\n";

#endif
