// Loaded by Node.js before a program (NODE_OPTIONS=--require), because most releases and libraries ignore HTTPS_PROXY.
// Connections to the hosts in BODYDOUBLE_HOSTS go to the mock; every other connection stays as it is.
"use strict";
const net = require("node:net");
const tls = require("node:tls");

const hosts = (process.env.BODYDOUBLE_HOSTS || "").split(",");

function lead(library, name, port) {
  const connect = library[name];
  library[name] = function (...given) {
    const options = typeof given[0] === "object" && given[0] !== null ? given[0] : null;
    const host = String((options ? options.host || options.hostname : given[1]) || "").toLowerCase();
    if (!hosts.includes(host) || (options && options.socket)) return connect.apply(this, given);
    const ours = { servername: host, ...(options || {}), host: "127.0.0.1", port };
    return connect.call(this, ours, ...given.slice(options ? 1 : 2));
  };
}

lead(tls, "connect", Number(process.env.BODYDOUBLE_TLS_PORT));
lead(net, "connect", Number(process.env.BODYDOUBLE_PORT));
lead(net, "createConnection", Number(process.env.BODYDOUBLE_PORT));
require("node:module").syncBuiltinESMExports();
