import { exec, execFile, execSync } from "node:child_process";

// ruleid: secai.typescript.cors-any-origin
app.use(cors({ origin: "*" }));
// ruleid: secai.typescript.cors-any-origin
app.use(cors({ credentials: true, origin: '*', maxAge: 60 }));
// ruleid: secai.typescript.cors-any-origin
app.use(cors());
// ok: a list of sites
app.use(cors({ origin: ["https://shop.example"] }));
// ok: not CORS
app.use(route({ origin: "*" }));

// ruleid: secai.typescript.eval-of-value
const result = eval(req.query.filter);
// ruleid: secai.typescript.eval-of-value
const run = new Function("x", req.body.code);
// ok: a constant
eval("1 + 1");
// ok: a method of something else
sandbox.eval(req.body.code);

// ruleid: secai.typescript.exec-of-value
exec(`lp -d ${req.body.printer}`, (error) => done(error));
// ruleid: secai.typescript.exec-of-value
execSync(`ls ${folder}`);
// ruleid: secai.typescript.exec-of-value
exec("lp -d " + printer, done);
// ok: no shell
execFile("lp", ["-d", req.body.printer]);
// ok: a constant
exec("uptime", done);
// ok: a regular expression
const match = pattern.exec(`lp ${name}`);

// ruleid: secai.typescript.cookie-not-http-only, secai.typescript.cookie-not-secure
res.cookie("session", id, { httpOnly: false, secure: false });
// ruleid: secai.typescript.cookie-not-secure
res.cookie("session", id, { httpOnly: true, secure: false, sameSite: "lax" });
// ruleid: secai.typescript.cookie-not-http-only, secai.typescript.cookie-not-secure
res.cookie("session", id);
// ok: both flags are on
res.cookie("session", id, { httpOnly: true, secure: true });
// ok: no answer of a server
jar.cookie("chocolate", 3);

// ruleid: secai.typescript.tls-not-verified
const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
// ruleid: secai.typescript.tls-not-verified
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
// ok: checked
const checked = new Agent({ rejectUnauthorized: true });
// ok: only read
console.log(process.env.NODE_TLS_REJECT_UNAUTHORIZED === "0");
