import cookieParser from "cookie-parser";
import cors from "cors";
import express from "express";

import { config } from "./config.js";
import { apiRouter } from "./routes/api.js";
import { parcelsRouter } from "./routes/parcels.js";
import { sessionRouter } from "./routes/session.js";

export const app = express();

app.use(express.json());
app.use(cookieParser(config.sessionSecret));
app.use(cors({ origin: "*" }));

app.get("/healthz", (_req, res) => {
  res.send("ok");
});

app.use("/parcels", parcelsRouter);
app.use("/session", sessionRouter);
app.use("/api", apiRouter);

app.listen(config.port, () => {
  console.log(`listening on ${config.port}`);
});
