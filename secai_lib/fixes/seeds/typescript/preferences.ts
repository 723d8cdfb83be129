import type { FastifyReply, FastifyRequest } from "fastify";

type Preferences = { language: string; currency: string };

const YEAR_SECONDS = 31_536_000;

export async function save(request: FastifyRequest<{ Body: Preferences }>, reply: FastifyReply) {
  const { language, currency } = request.body;
  // Nothing in the page reads them; the server renders in the right language.
  reply.cookie("language", language, { path: "/", httpOnly: true, secure: true });
  reply.cookie("currency", currency, {
    path: "/shop",
    maxAge: YEAR_SECONDS,
    secure: true,
    httpOnly: true,
  });
  return reply.code(204).send();
}
