import { exec, execFile } from "node:child_process";

import { Router } from "express";

export const labelsRouter = Router();

labelsRouter.post("/print", (req, res) => {
  exec(`lp -d ${req.body.printer} /var/spool/nestbox/label.pdf`, (error) => {
    res.sendStatus(error ? 502 : 202);
  });
});

// execFile starts the program without a shell, so the name cannot become a command.
labelsRouter.get("/queue/:printer", (req, res) => {
  execFile("lpstat", ["-o", req.params.printer], (error, stdout) => {
    res.status(error ? 502 : 200).send(stdout);
  });
});
