/**
 * What PostgREST does for `rpc()`, in front of a real Postgres: POST /rest/v1/rpc/<fn> with named arguments, in one
 * transaction, as the role that the key stands for; errors carry the SQLSTATE. PostgREST itself cannot be had here; this
 * covers the one feature that supabase.ts uses, and nothing more.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { type RealtimeFront, startRealtimeFront } from './realtime-front.ts'

export interface RpcFront {
  readonly url: string
  readonly serviceRoleKey: string
  readonly anonKey: string
  /** The next call runs and commits, and its answer is lost. */
  loseNextAnswer(): void
  /** Only when asked for. */
  readonly realtime: RealtimeFront | undefined
  close(): Promise<void>
}

const SERVICE_ROLE_KEY = 'sb_secret_test'
const ANON_KEY = 'sb_publishable_test'
const ROLES: Readonly<Record<string, string>> = { [SERVICE_ROLE_KEY]: 'service_role', [ANON_KEY]: 'anon' }

export async function startRpcFront(databaseUrl: string, { withRealtime = false } = {}): Promise<RpcFront> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 })
  let isLosing = false
  const server = createServer((request, response) => {
    const lose = isLosing
    isLosing = false
    void answer(pool, request, response, lose)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo // listening on TCP
  const realtime = withRealtime ? await startRealtimeFront(databaseUrl, server, SERVICE_ROLE_KEY) : undefined
  return {
    url: `http://127.0.0.1:${port}`,
    serviceRoleKey: SERVICE_ROLE_KEY,
    anonKey: ANON_KEY,
    loseNextAnswer: () => {
      isLosing = true
    },
    realtime,
    close: async () => {
      await realtime?.close()
      await closeServer(server)
      await pool.end()
    },
  }
}

async function answer(pool: pg.Pool, request: IncomingMessage, response: ServerResponse, lose: boolean) {
  const fn = /^\/rest\/v1\/rpc\/([a-z_]+)$/.exec(request.url ?? '')?.[1]
  const role = ROLES[String(request.headers['apikey'])]
  const body = await text(request)
  if (fn === undefined || request.method !== 'POST') return send(response, 404, { message: 'not found' })
  if (role === undefined) return send(response, 401, { message: 'Invalid API key' })
  const [status, json] = await run(pool, role, fn, body)
  if (lose) request.socket.destroy()
  else send(response, status, json)
}

async function run(pool: pg.Pool, role: string, fn: string, body: string): Promise<[number, unknown]> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query(`set local role ${role}`)
    const { args } = JSON.parse(body) as { args: object } // as supabase.ts sends it
    const sql = `select public.${fn}(args => $1::jsonb) as value`
    const result = await client.query<{ value: unknown }>(sql, [JSON.stringify(args)])
    await client.query('commit')
    return [200, result.rows[0]?.value ?? null]
  } catch (thrown) {
    await client.query('rollback')
    const { code, message } = thrown as pg.DatabaseError // nothing else fails here
    if (code === '42883') return [404, { code: 'PGRST202', message: `no function ${fn}` }]
    return [code === '42501' ? 403 : 400, { code, message, details: null, hint: null }]
  } finally {
    client.release()
  }
}

function send(response: ServerResponse, status: number, json: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json))
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => {
    server.close(resolve)
  })
}
