import { get } from "node:http";

import { config } from "./config.js";

// Run by Docker; the exit code is the answer.
get(`http://localhost:${config.port}/healthz`, (res) => {
  process.exit(res.statusCode === 200 ? 0 : 1);
}).on("error", () => process.exit(1));
