/**
 * The Redis and the database that servers of the benchmark use: those that TEST_REDIS_URL and TEST_MYSQL_URL name, or
 * private ones. Their processes are known, so that what they use is nobody's CPU time.
 */

import * as SqlClient from "@effect/sql/SqlClient"
import * as MysqlClient from "@effect/sql-mysql2/MysqlClient"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as mariadb from "../scripts/services/mariadb.mjs"
import { install } from "../scripts/services/programs.mjs"
import * as redis from "../scripts/services/redis.mjs"

/**
 * @typedef {{ redisUrl: string | null, mysqlUrl: string | null, pids: ReadonlyArray<number>,
 *   stop: () => Promise<void> }} Services an address is null where such a server could not be had
 */

/** @param {(line: string) => void} log */
const privately = async (server, log) => {
  try {
    if (!server.isHere()) install([server.debianPackage])
  } catch (error) {
    log(`no ${server.debianPackage}: ${error.message}`)
    return null
  }
  return server.start()
}

/** @param {(line: string) => void} log @returns {Promise<Services>} */
export const startServices = async (log) => {
  const named = {
    redisUrl: process.env.TEST_REDIS_URL ?? null,
    mysqlUrl: process.env.TEST_MYSQL_URL ?? null
  }
  const ownRedis = named.redisUrl === null ? await privately(redis, log) : null
  const ownMysql = named.mysqlUrl === null ? await privately(mariadb, log) : null
  const own = [ownRedis, ownMysql].filter((daemon) => daemon !== null)
  return {
    redisUrl: named.redisUrl ?? ownRedis?.url ?? null,
    mysqlUrl: named.mysqlUrl ?? ownMysql?.url ?? null,
    pids: own.map(({ pid }) => pid),
    stop: async () => {
      await Promise.all(own.map((daemon) => daemon.stop()))
    }
  }
}

/** The address of a new database, and how to drop it. @param {string} mysqlUrl */
export const freshDatabase = async (mysqlUrl) => {
  const name = `bench_${crypto.randomUUID().replaceAll("-", "")}`
  const run = (statement) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement)).pipe(
      Effect.provide(MysqlClient.layer({ url: Redacted.make(mysqlUrl) })),
      Effect.runPromise
    )
  await run(`CREATE DATABASE ${name}`)
  const url = new URL(mysqlUrl)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => run(`DROP DATABASE ${name}`) }
}
