import { execFileSync } from "node:child_process";

/** The server that tests may make databases on; undefined where there is none. */
export const SERVER = process.env.HOUSECALL_TEST_POSTGRES;

/** Why what needs a server is skipped; false where there is one. */
export const SKIPPED = SERVER ? false : "HOUSECALL_TEST_POSTGRES names no PostgreSQL server to make databases on";

/** A database with nothing in it. */
export class Database {
  #name = `housecall_test_${process.pid}_${Date.now()}`;

  constructor() {
    ask(`CREATE DATABASE ${this.#name}`);
  }

  get url() {
    const url = new URL(SERVER);
    url.pathname = `/${this.#name}`;
    return url.href;
  }

  drop() {
    ask(`DROP DATABASE ${this.#name} WITH (FORCE)`);
  }
}

function ask(statement) {
  execFileSync("psql", ["--quiet", "--no-psqlrc", "--command", statement, SERVER]);
}
