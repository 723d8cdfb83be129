/** Where the backends are; overridden by the environment in production. */
export const config = {
  port: Number(process.env.PORT ?? 3000),
  lockerServer: process.env.LOCKER_SERVER ?? "http://localhost:8080",
  notifyService: process.env.NOTIFY_SERVICE ?? "http://localhost:8090",
  sessionSecret: "kR7vXw2Qm9TzL4bNc8FhY3pJd6GsUe1A",
};
