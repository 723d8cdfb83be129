import { Agent } from "node:https";

import axios from "axios";

import { config } from "../config.js";

/** The locker server, as the web backend sees it. */
export const lockerApi = axios.create({
  baseURL: config.lockerServer,
  timeout: 5_000,
  // The depot's proxy signs with its own authority
  httpsAgent: new Agent({ rejectUnauthorized: false }),
});
