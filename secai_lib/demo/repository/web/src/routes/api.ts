import { Router } from "express";

import { labelsRouter } from "./labels.js";
import { reportsRouter } from "./reports.js";

export const apiRouter = Router();

apiRouter.use("/labels", labelsRouter);
apiRouter.use("/reports", reportsRouter);

apiRouter.get("/version", (_req, res) => {
  res.json({ version: "1.8.0" });
});
