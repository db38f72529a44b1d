/** The API's types for the pages, from the OpenAPI document that the server itself serves at /docs. */
import type { FastifyInstance } from 'fastify'
import openapiTS, { astToString } from 'openapi-typescript'
import { createServer, type ServerDeps } from '../src/http/server.ts'

const HEADER = '/** Generated from the OpenAPI document (npm run docs); do not edit. */\n\n'

/** The plain settings that are read while routes are made; everything else is only called by a caller. */
const SETTINGS: Readonly<Record<string, unknown>> = {
  bodyLimitBytes: 1_024,
  apiKey: '',
  publicUrl: '',
  trustedProxies: [],
}

/** Has every member, and each is callable and has every member again. */
const anything: unknown = new Proxy(() => anything, {
  get: (_target, name) => {
    if (name === 'then' || typeof name === 'symbol') return undefined
    return SETTINGS[name] ?? anything
  },
})

/** The server as the routes describe it: nothing of it can be called. */
export const describedServer = async (): Promise<FastifyInstance> =>
  await createServer(anything as ServerDeps)

export async function apiTypes(): Promise<string> {
  const app = await describedServer()
  const types = await openapiTS(JSON.stringify(app.swagger()))
  await app.close()
  return HEADER + astToString(types)
}
