import { Router, type Request, type Response } from "express";
import { createSession, endSession } from "../sessions.js";

export const session = Router();

const DAY = 24 * 60 * 60 * 1000;

session.post("/login", async (req: Request, res: Response) => {
  const id = await createSession(req.body.user, req.body.code);
  if (!id) {
    res.status(401).json({ error: "unknown user or code" });
    return;
  }
  res.cookie("sid", id, {
    httpOnly: true,
    secure: true,
    sameSite: "lax",
    maxAge: DAY,
  });
  res.cookie("theme", req.body.theme ?? "light", { secure: true, httpOnly: true });
  res.status(204).end();
});

session.post("/logout", async (req, response) => {
  await endSession(req.cookies.sid);
  response.cookie("sid", "", { maxAge: 0, httpOnly: true, secure: true });
  response.redirect("/");
});
