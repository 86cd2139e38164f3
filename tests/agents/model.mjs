// A scripted model for driving the real agents without a network: it speaks the parts of four
// APIs that codex, claude, gemini and opencode use, and has each of them run the shell commands of
// a scenario in order, then say a last word.
//
//   node model.mjs --scenario FILE [--port N] [--port-file FILE] [--log FILE]
//                  [--tls-cert FILE --tls-key FILE] [--listen ADDR]
//
// Scenario: {"commands": ["echo hi > a", {"run": "make", "timeout": 60},
//   {"call": "mcp__docs__find", "input": {"word": "x"}}], "final": "done"}; a "call" is of another
//   tool than the shell, by the name that the agent offers it under.
// "oauth": {"refresh": "first refresh token", "access": "first access token", "life": seconds,
//   "jwt": true, "slow": ms}: it plays the token endpoint, too (which takes that long), and answers
//   401 to a token that is over.  A refresh token counts once: what comes a second time stands in
//   the log as "reuse".  POST /control {"revoke": true}: no token counts any more; {"mode": "error",
//   "hang", "echo", "refuse", "page", ""}: what the endpoint does.
// "watch": a list of words; each request's "seen" names those of them that stand in it.
// Log: JSON Lines, one a request: the credential header seen, the tools offered, the step answered
// with, and the text of the last tool result (which is what the agent got to see).
//
// Theory: no state is kept between requests.  Which step comes next is counted from the tool
// results that stand in the request itself, so retries, two agents at once and a resumed session
// all work.  The name of the shell tool and the shape of its arguments are taken from the tools the
// request offers, so that a newer agent with another name for it needs no change here.
//
// Needs nothing but node.  Listens on loopback only unless told otherwise.  Holds no secret.
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createHash, randomBytes } from "node:crypto";
import * as zlib from "node:zlib";
import { appendFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";

// Known names of a shell tool, best first.
const SHELL_TOOLS = [
  "exec", "exec_command", "shell_command", "shell", "local_shell",
  "Bash", "bash", "run_shell_command", "run_command", "terminal",
];
const MODEL = "scripted-model";
const BODY_MAX = 64 << 20;

function parseArgs(argv) {
  const known = ["scenario", "port", "port-file", "log", "tls-cert", "tls-key", "listen"];
  const args = {};
  for (let i = 0; i < argv.length; i += 2) {
    const name = argv[i].replace(/^--/, "");
    if (!known.includes(name) || argv[i + 1] === undefined)
      throw new Error(`usage: model.mjs ${known.map((k) => `[--${k} X]`).join(" ")}`);
    args[name] = argv[i + 1];
  }
  return args;
}

const args = parseArgs(process.argv.slice(2));
const scenario = args.scenario
  ? JSON.parse(readFileSync(args.scenario, "utf8"))
  : { commands: [], final: "Hello from the scripted model." };
const steps = (scenario.commands ?? []).map((c) => (typeof c === "string" ? { run: c } : c));
const finalText = scenario.final ?? "All steps are done.";

function log(entry) {
  if (args.log)
    appendFileSync(args.log, JSON.stringify({ time: new Date().toISOString(), ...entry }) + "\n");
}

// ---- what to answer -----------------------------------------------------------------------

// A request as all four APIs have it in common.  tools: [{name, schema, custom}];
// results: texts of the tool results so far; prompt: is there a user's word to act on?
function nextMove(req) {
  const tool = pickTool(req.tools);
  if (!tool)
    return { text: "ok" }; // a title, a topic, a quota probe: nothing to run
  const step = req.results.length;
  if (step >= steps.length)
    return { text: finalText, step };
  const { call, input } = steps[step], id = `call_${step + 1}`;
  const called = call && req.tools.find((t) => t.name === call);
  if (call)
    return called ? { tool: called, step, input: input ?? {}, id } : { text: `no tool ${call}`, step };
  return { tool, step, input: toolInput(tool, steps[step], step), id };
}

function pickTool(tools) {
  for (const name of SHELL_TOOLS) {
    const found = tools.find((t) => t.name === name);
    if (found)
      return found;
  }
  return tools.find((t) => /bash|shell|exec|command|terminal/i.test(t.name));
}

// Arguments by the tool's own schema: the command goes where the schema has room for it, what else
// is required gets a plain value.
function toolInput(tool, step, n) {
  const seconds = step.timeout ?? 30;
  if (tool.custom) {
    const call = { cmd: step.run, yield_time_ms: Math.min(seconds, 30) * 1000 };
    return `const r = await tools.exec_command(${JSON.stringify(call)}); text(JSON.stringify(r));`;
  }
  const props = tool.schema?.properties ?? {};
  const input = {};
  const key = ["command", "cmd", "script", "input"].find((k) => props[k]) ?? "command";
  input[key] = isArray(props[key]) ? ["bash", "-c", step.run] : step.run;
  if (props.yield_time_ms)
    input.yield_time_ms = Math.min(seconds, 30) * 1000;
  if (props.timeout)
    input.timeout = seconds * 1000;
  if (props.timeout_ms)
    input.timeout_ms = seconds * 1000;
  if (props.description)
    input.description = `step ${n + 1}`;
  for (const k of tool.schema?.required ?? [])
    if (input[k] === undefined)
      input[k] = fromSchema(props[k] ?? {});
  return input;
}

const typeOf = (schema) => String([schema?.type].flat()[0] ?? "").toLowerCase();
const isArray = (schema) => typeOf(schema) === "array";

// The smallest value a JSON schema admits.
function fromSchema(schema) {
  if (schema.enum)
    return schema.enum[0];
  if (schema.anyOf)
    return fromSchema(schema.anyOf[0]);
  switch (typeOf(schema)) {
  case "object":
    return Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([k, v]) => [k, fromSchema(v)]));
  case "array": return [];
  case "boolean": return false;
  case "integer": case "number": return schema.minimum ?? 1;
  default: return "ok";
  }
}

const asText = (v) => (typeof v === "string" ? v : JSON.stringify(v ?? ""));

// ---- one adapter an API -------------------------------------------------------------------
// read(body) gives {tools, results}; write(out, move, body) sends the answer.

const responses = { // OpenAI Responses API: codex, opencode with its openai provider
  read(body) {
    // Newer models are offered their tools in an input item, in namespaces.
    const input = Array.isArray(body.input) ? body.input : [];
    const flat = (list) => (list ?? []).flatMap((t) => (t.tools ? flat(t.tools) : [t]));
    return {
      tools: flat([...(body.tools ?? []), ...input.filter((i) => i.type === "additional_tools")])
        .filter((t) => ["function", "custom", "local_shell"].includes(t.type))
        .map((t) => ({ name: t.name ?? t.type, schema: t.parameters, custom: t.type === "custom" }))
        .filter((t) => !t.custom || t.name === "exec"),
      results: input.filter((i) => /_output$/.test(i.type ?? ""))
        .map((i) => asText(i.output)),
    };
  },
  write(out, move, body) {
    const id = `resp_${Date.now()}`;
    const item = !move.tool
      ? { type: "message", id: "msg_1", role: "assistant", status: "completed",
          content: [{ type: "output_text", text: move.text, annotations: [] }] }
      : move.tool.custom
        ? { type: "custom_tool_call", id: "ctc_1", call_id: move.id, name: move.tool.name,
            input: move.input, status: "completed" }
        : { type: "function_call", id: "fc_1", call_id: move.id, name: move.tool.name,
            arguments: JSON.stringify(move.input), status: "completed" };
    const base = { id, object: "response", created_at: Math.floor(Date.now() / 1000),
      model: body.model ?? MODEL, status: "in_progress", output: [], error: null,
      incomplete_details: null };
    const done = { ...base, status: "completed", output: [item],
      usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens_details: { reasoning_tokens: 0 } } };
    if (body.stream === false)
      return out.json(done);
    let seq = 0;
    const send = (type, rest) => out.event(type, { type, sequence_number: seq++, ...rest });
    send("response.created", { response: base });
    send("response.output_item.added", { output_index: 0, item: added(item) });
    if (item.type === "message") {
      const at = { item_id: item.id, output_index: 0, content_index: 0 };
      send("response.content_part.added", { ...at, part: { ...item.content[0], text: "" } });
      send("response.output_text.delta", { ...at, delta: move.text, logprobs: [] });
      send("response.output_text.done", { ...at, text: move.text, logprobs: [] });
      send("response.content_part.done", { ...at, part: item.content[0] });
    } else if (item.type === "function_call") {
      const at = { item_id: item.id, output_index: 0 };
      send("response.function_call_arguments.delta", { ...at, delta: item.arguments });
      send("response.function_call_arguments.done", { ...at, arguments: item.arguments });
    }
    send("response.output_item.done", { output_index: 0, item });
    send("response.completed", { response: done });
    out.end();
  },
};

// An item as it is announced, before its content has come.
function added(item) {
  if (item.type === "message")
    return { ...item, status: "in_progress", content: [] };
  return item.type === "function_call" ? { ...item, status: "in_progress", arguments: "" } : item;
}

const chat = { // OpenAI chat completions: opencode with an openai-compatible provider
  read(body) {
    return {
      tools: (body.tools ?? []).map((t) => ({
        name: t.function?.name ?? t.name, schema: t.function?.parameters })),
      results: (body.messages ?? [])
        .filter((m) => m.role === "tool").map((m) => asText(m.content)),
    };
  },
  write(out, move, body) {
    const call = move.tool && { index: 0, id: move.id, type: "function",
      function: { name: move.tool.name, arguments: JSON.stringify(move.input) } };
    const reason = move.tool ? "tool_calls" : "stop";
    const message = move.tool
      ? { role: "assistant", content: null, tool_calls: [call] }
      : { role: "assistant", content: move.text };
    const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
    const base = { id: "chatcmpl-1", created: Math.floor(Date.now() / 1000),
      model: body.model ?? MODEL };
    if (!body.stream)
      return out.json({ ...base, object: "chat.completion", usage,
        choices: [{ index: 0, message, finish_reason: reason }] });
    const chunk = (delta, finish_reason) => out.data({ ...base, object: "chat.completion.chunk",
      choices: [{ index: 0, delta, finish_reason }], ...(finish_reason ? { usage } : {}) });
    chunk(message, null);
    chunk({}, reason);
    out.raw("data: [DONE]\n\n");
    out.end();
  },
};

const messages = { // Anthropic Messages API: claude, opencode with its anthropic provider
  read(body) {
    const blocks = (body.messages ?? [])
      .flatMap((m) => (Array.isArray(m.content) ? m.content : []));
    return {
      tools: (body.tools ?? [])
        .filter((t) => t.input_schema).map((t) => ({ name: t.name, schema: t.input_schema })),
      results: blocks.filter((b) => b.type === "tool_result").map((b) => asText(b.content)),
    };
  },
  write(out, move, body) {
    const block = move.tool
      ? { type: "tool_use", id: `toolu_${move.step + 1}`, name: move.tool.name, input: move.input }
      : { type: "text", text: move.text };
    const stop = move.tool ? "tool_use" : "end_turn";
    const message = { id: `msg_${Date.now()}`, type: "message", role: "assistant",
      model: body.model ?? MODEL, content: [], stop_reason: null, stop_sequence: null,
      usage: { input_tokens: 10, output_tokens: 1 } };
    if (!body.stream)
      return out.json({ ...message, content: [block], stop_reason: stop });
    const send = (type, rest) => out.event(type, { type, ...rest });
    send("message_start", { message });
    send("content_block_start", { index: 0,
      content_block: move.tool ? { ...block, input: {} } : { type: "text", text: "" } });
    send("content_block_delta", { index: 0,
      delta: move.tool
        ? { type: "input_json_delta", partial_json: JSON.stringify(move.input) }
        : { type: "text_delta", text: move.text } });
    send("content_block_stop", { index: 0 });
    send("message_delta", { delta: { stop_reason: stop, stop_sequence: null },
      usage: { output_tokens: 5 } });
    send("message_stop", {});
    out.end();
  },
};

const gemini = { // Gemini API: gemini, opencode with its google provider
  read(body) {
    const parts = (body.contents ?? []).flatMap((c) => c.parts ?? []);
    return {
      tools: (body.tools ?? []).flatMap((t) => t.functionDeclarations ?? [])
        .map((f) => ({ name: f.name, schema: f.parametersJsonSchema ?? f.parameters })),
      results: parts.filter((p) => p.functionResponse)
        .map((p) => asText(p.functionResponse.response?.output ?? p.functionResponse.response)),
    };
  },
  write(out, move, body, url) {
    const config = body.generationConfig ?? {};
    const schema = config.responseJsonSchema ?? config.responseSchema;
    // A router or a next-speaker check wants JSON of its own shape and runs nothing.
    const text = schema ? JSON.stringify(fromSchema(schema)) : move.text;
    const part = move.tool && !schema
      ? { functionCall: { name: move.tool.name, args: move.input } } : { text };
    const answer = {
      candidates: [{ index: 0, content: { role: "model", parts: [part] }, finishReason: "STOP" }],
      usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 },
      modelVersion: MODEL,
    };
    if (!/:streamGenerateContent/.test(url))
      return out.json(answer);
    out.data(answer);
    out.end();
  },
};

const codeAssist = { // the same in an envelope: gemini with a Google log-in
  read: (body) => gemini.read(body.request ?? {}),
  write(out, move, body, url) {
    const wrap = (v) => ({ response: v, traceId: "1" });
    gemini.write({ ...out, json: (v) => out.json(wrap(v)), data: (v) => out.data(wrap(v)) },
      move, body.request ?? {}, url);
  },
};

const ROUTES = [
  { path: /\/responses$/, api: responses, name: "responses" },
  { path: /\/chat\/completions$/, api: chat, name: "chat" },
  { path: /\/messages$/, api: messages, name: "messages" },
  { path: /\/models\/[^/]+:(stream)?[gG]enerateContent$/, api: gemini, name: "gemini" },
  { path: /\/v1internal:(stream)?[gG]enerateContent$/, api: codeAssist, name: "code-assist" },
];

// What is asked beside the conversation; anything else is a 404 that no agent minds.
const FIXED = [
  { path: /\/messages\/count_tokens$/, body: { input_tokens: 10 } },
  { path: /:countTokens$/, body: { totalTokens: 10 } },
  // (not Copilot's, /models: without an answer opencode takes the list that it was made with)
  { path: /.\/models$/, body: { object: "list", data: [], models: [] } },
  // What a log-in asks: who am I, which plan.
  { path: /\/tokeninfo$/, body: { aud: "test", expires_in: 3000, scope: "test" } },
  { path: /\/oauth2\/v2\/userinfo$/, body: { email: "test@example.org" } },
  { path: /:loadCodeAssist$/, body: { cloudaicompanionProject: "test",
    currentTier: { id: "standard-tier", name: "Test" }, allowedTiers: [] } },
  { path: /\/v1internal:/, body: {} },
  { path: /\/wham\/accounts\/check$/, body: { accounts: [{ id: "acc", account_id: "acc",
    name: "Test", structure: "personal", plan_type: "plus",
    workspace_backend_origin: "https://chatgpt.com", account_routing_override: "us" }],
    default_account_id: "acc",
    account_ordering: ["acc"] } },
];

// ---- log-ins -------------------------------------------------------------------------------

const oauth = scenario.oauth && {
  refresh: scenario.oauth.refresh, used: new Set(), serial: 0, mode: "",
  access: new Map([[scenario.oauth.access, Infinity]]),
};

function newToken(kind, life) {
  const n = `${kind}-${++oauth.serial}-${randomBytes(12).toString("hex")}`;
  if (!scenario.oauth.jwt || kind === "refresh")
    return n;
  const part = (v) => Buffer.from(JSON.stringify(v)).toString("base64url");
  return [part({ alg: "RS256" }), part({ ...scenario.oauth.claims, jti: n,
    exp: Math.floor(Date.now() / 1000) + life }), Buffer.from(n).toString("base64url")].join(".");
}

const count = () => [...oauth.access.values()].filter((until) => Date.now() < until).length;

function tokens(text, type, entry, res) {
  const form = /form/.test(type ?? "") ? Object.fromEntries(new URLSearchParams(text))
    : JSON.parse(text);
  const say = (status, body, more) => {
    log({ ...entry, status, oauth: true, client: form.client_id, grant: form.grant_type, ...more });
    res.writeHead(status, { "content-type": "application/json" });
    res.end(body);
  };
  switch (oauth.mode) {
  case "error": return say(500, JSON.stringify({ error: "server_error" }));
  case "page": return say(200, "<html>log in here</html>");
  case "echo": return say(400, JSON.stringify({ error: form.refresh_token, error_description: text }));
  case "hang": return log({ ...entry, oauth: true, hangs: true });
  }
  const begins = form.grant_type === "authorization_code" && proves(form);
  if (begins)
    oauth.asked = undefined;
  if (oauth.mode === "refuse" || (!begins && form.refresh_token !== oauth.refresh))
    return say(400, JSON.stringify({ error: "invalid_grant" }),
      { reuse: oauth.used.has(form.refresh_token), refused: true });
  oauth.used.add(oauth.refresh);
  oauth.refresh = newToken("refresh");
  const life = scenario.oauth.life ?? 600, access = newToken("access", life);
  oauth.access.set(access, Date.now() + life * 1000);
  const answer = JSON.stringify({ access_token: access, refresh_token: oauth.refresh, expires_in: life,
    token_type: "Bearer", ...(scenario.oauth.jwt ? { id_token: newToken("access", life) } : {}) });
  setTimeout(() => say(200, answer, { renewed: !begins, begun: begins, gave: access }),
    scenario.oauth.slow ?? 0);
}

// A browser's way: a code for whoever proves that he asked (RFC 7636), back to where he listens.
function authorize(url, entry, res) {
  const q = Object.fromEntries(url.searchParams), back = new URL(q.redirect_uri);
  const code = `code-${randomBytes(12).toString("hex")}`;
  oauth.asked = { ...q, code };
  log({ ...entry, authorize: q });
  if (oauth.mode === "deny")
    back.search = new URLSearchParams({ error: "access_denied", error_description: "<no>", state: q.state });
  else
    back.search = new URLSearchParams({ code, state: oauth.mode === "state" ? "another" : q.state });
  if (oauth.mode === "path")
    back.pathname = "/elsewhere";
  res.writeHead(302, { location: back.href });
  res.end();
}

const proves = (form) => oauth.asked && form.code === oauth.asked.code &&
  form.redirect_uri === oauth.asked.redirect_uri && form.client_id === oauth.asked.client_id &&
  createHash("sha256").update(form.code_verifier ?? "").digest("base64url") === oauth.asked.code_challenge;

function control(text, res) {
  const body = JSON.parse(text);
  if (body.revoke)
    oauth.access.clear();
  oauth.mode = body.mode ?? oauth.mode;
  res.end(JSON.stringify({ refresh: oauth.refresh, valid: count() }));
}

const lets = (auth) => {
  const until = oauth.access.get((auth ?? "").replace(/^Bearer /, ""));
  return until !== undefined && Date.now() < until;
};

// ---- HTTP ---------------------------------------------------------------------------------

function output(res) {
  const start = (type) => {
    if (!res.headersSent)
      res.writeHead(200, { "content-type": type, "cache-control": "no-store" });
  };
  return {
    json(value) {
      start("application/json");
      res.end(JSON.stringify(value));
    },
    event(type, value) {
      start("text/event-stream");
      res.write(`event: ${type}\ndata: ${JSON.stringify(value)}\n\n`);
    },
    data(value) {
      start("text/event-stream");
      res.write(`data: ${JSON.stringify(value)}\n\n`);
    },
    raw(text) {
      start("text/event-stream");
      res.write(text);
    },
    end: () => res.end(),
  };
}

// codex with a ChatGPT log-in compresses; zstd is in node from 22.15 on.
function decode(data, encoding) {
  switch (encoding) {
  case undefined: case "identity": return data;
  case "gzip": return zlib.gunzipSync(data);
  case "br": return zlib.brotliDecompressSync(data);
  case "zstd":
    if (zlib.zstdDecompressSync)
      return zlib.zstdDecompressSync(data);
    throw new Error("this node has no zstd: -c features.enable_request_compression=false");
  default: throw new Error(`content-encoding ${encoding}`);
  }
}

function readBody(req) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    let size = 0;
    req.on("data", (c) => {
      size += c.length;
      if (size > BODY_MAX)
        req.destroy(new Error("body too large"));
      chunks.push(c);
    });
    req.on("end", () => {
      try {
        resolve(decode(Buffer.concat(chunks), req.headers["content-encoding"]).toString("utf8"));
      } catch (e) {
        reject(e);
      }
    });
    req.on("error", reject);
  });
}

const AUTH_HEADERS = ["authorization", "x-api-key", "x-goog-api-key", "chatgpt-account-id"];

async function answer(req, res) {
  const url = new URL(req.url, "http://x");
  const auth = Object.fromEntries(
    AUTH_HEADERS.filter((h) => req.headers[h]).map((h) => [h, req.headers[h]]));
  const entry = { method: req.method, host: req.headers.host, path: url.pathname, auth,
    agent: req.headers["user-agent"] };
  const text = await readBody(req);
  if (oauth && url.pathname === "/control")
    return control(text, res);
  if (oauth && /\/auth(orize)?$/.test(url.pathname))
    return authorize(url, entry, res);
  if (oauth && /\/token$/.test(url.pathname))
    return tokens(text, req.headers["content-type"], entry, res);
  if (oauth && !lets(auth.authorization)) {
    log({ ...entry, status: 401 });
    res.writeHead(401, { "content-type": "application/json" });
    res.end(JSON.stringify({ type: "error", error: { type: "authentication_error", message: "no" } }));
    return;
  }
  const route = req.method === "POST" && ROUTES.find((r) => r.path.test(url.pathname));
  if (!route) {
    const fixed = FIXED.find((f) => f.path.test(url.pathname));
    const status = fixed || url.pathname === "/" ? 200 : 404;
    log({ ...entry, status });
    res.writeHead(status, { "content-type": "application/json" });
    res.end(req.method === "HEAD" ? undefined : JSON.stringify(fixed?.body ?? { error: {
      type: "not_found_error", message: "the scripted model has no such path" } }));
    return;
  }
  const body = JSON.parse(text);
  const asked = route.api.read(body);
  const move = nextMove(asked);
  log({ ...entry, status: 200, api: route.name, model: body.model,
    tools: asked.tools.map((t) => t.name), results: asked.results.length,
    last_result: asked.results.at(-1),
    seen: (scenario.watch ?? []).filter((w) => text.includes(w)), step: move.step,
    run: move.tool ? steps[move.step].run : undefined, text: move.text });
  route.api.write(output(res), move, body, url.pathname);
}

function listener(req, res) {
  answer(req, res).catch((e) => {
    log({ method: req.method, path: req.url, status: 400, error: String(e) });
    if (!res.headersSent)
      res.writeHead(400, { "content-type": "application/json" });
    res.end(JSON.stringify({ error: { type: "invalid_request_error", message: String(e) } }));
  });
}

const server = args["tls-cert"]
  ? createTlsServer({ cert: readFileSync(args["tls-cert"]), key: readFileSync(args["tls-key"]) },
    listener)
  : createServer(listener);
// A WebSocket is declined: at 426 codex falls back to plain requests at once, at another status it
// tries for ten seconds.
server.on("upgrade", (req, socket) => {
  log({ method: req.method, path: req.url, status: 426, upgrade: req.headers.upgrade });
  socket.end("HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
});
server.listen(Number(args.port ?? 0), args.listen ?? "127.0.0.1", () => {
  const { port } = server.address();
  if (args["port-file"]) { // beside and renamed, so that a reader never sees half of it
    writeFileSync(args["port-file"] + ".tmp", `${port}\n`);
    renameSync(args["port-file"] + ".tmp", args["port-file"]);
  }
  console.log(`listening on port ${port}`);
});
for (const sig of ["SIGTERM", "SIGINT"])
  process.on(sig, () => process.exit(0));
