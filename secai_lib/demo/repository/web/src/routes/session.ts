import { randomBytes } from "node:crypto";

import { Router } from "express";

export const sessionRouter = Router();

sessionRouter
  .route("/")
  .post((_req, res) => {
    const id = randomBytes(32).toString("hex");
    res.cookie("session", id, { httpOnly: false, secure: false, sameSite: "lax" });
    res.sendStatus(201);
  })
  .delete((_req, res) => {
    res.clearCookie("session");
    res.sendStatus(204);
  });

// The language of the pages; scripts have no need to read it.
sessionRouter.put("/language/:tag", (req, res) => {
  res.cookie("language", req.params.tag, { httpOnly: true, secure: true, sameSite: "strict" });
  res.sendStatus(204);
});
