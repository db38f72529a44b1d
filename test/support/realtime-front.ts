/**
 * What Supabase Realtime does for a private broadcast channel, in front of a real Postgres: the database calls
 * `realtime.send()`, whoever has joined the topic over the web socket hears it. Phoenix channels, protocol 2.0.0. Covers the
 * one feature that supabase.ts uses, and nothing more.
 */
import type { Server } from 'node:http'
import pg from 'pg'
import { type WebSocket, WebSocketServer } from 'ws'

export interface RealtimeFront {
  /** Joins that were granted so far. */
  readonly joins: number
  /** Broadcasts that were handed to a client so far. */
  readonly broadcasts: number
  /** Cuts every connection and refuses new ones: an outage, or a project without Realtime. */
  goDown(): void
  close(): Promise<void>
}

/** The signature is Supabase's own; the row it would write becomes a notification here. */
const CREATE_REALTIME = `
  create schema if not exists realtime;
  grant usage on schema realtime to service_role;
  create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true)
  returns void language sql as $body$
    select pg_notify('realtime', jsonb_build_object(
      'topic', send.topic, 'event', send.event, 'payload', send.payload, 'private', send.private)::text)
  $body$;
`

type Frame = [joinRef: string | null, ref: string | null, topic: string, event: string, payload: unknown]

interface Sent {
  readonly topic: string
  readonly event: string
  readonly payload: unknown
  readonly private: boolean
}

/** @param server answers `rpc()`; the web socket shares its address, as at Supabase. */
export async function startRealtimeFront(
  databaseUrl: string,
  server: Server,
  serviceRoleKey: string,
): Promise<RealtimeFront> {
  const listener = new pg.Client({ connectionString: databaseUrl })
  await listener.connect()
  await listener.query(CREATE_REALTIME)
  await listener.query('listen realtime')
  const sockets = new WebSocketServer({ noServer: true })
  const members = new Map<WebSocket, { topic: string; joinRef: string | null }>()
  const counts = { joins: 0, broadcasts: 0 }
  let isDown = false

  const answer = (socket: WebSocket, [joinRef, ref, topic]: Frame, status: 'ok' | 'error'): void => {
    socket.send(JSON.stringify([joinRef, ref, topic, 'phx_reply', { status, response: {} }]))
  }
  const hear = (socket: WebSocket, frame: Frame): void => {
    const [joinRef, , topic, event, payload] = frame
    if (event === 'phx_leave') members.delete(socket)
    if (event === 'phx_join' && !mayJoin(payload, serviceRoleKey)) {
      answer(socket, frame, 'error')
      return
    }
    if (event === 'phx_join') {
      members.set(socket, { topic, joinRef })
      counts.joins += 1
    }
    answer(socket, frame, 'ok')
  }

  server.on('upgrade', (request, stream, head) => {
    const isRealtime = request.url?.startsWith('/realtime/v1/websocket') === true
    if (isDown || !isRealtime) {
      stream.destroy()
      return
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      socket.on('message', (data: Buffer) => {
        hear(socket, JSON.parse(data.toString()) as Frame)
      })
      socket.on('close', () => members.delete(socket))
    })
  })
  listener.on('notification', ({ payload }) => {
    const sent = JSON.parse(payload ?? '') as Sent
    for (const [socket, { topic, joinRef }] of members) {
      if (topic !== `realtime:${sent.topic}` || !sent.private) continue
      counts.broadcasts += 1
      const body = { type: 'broadcast', event: sent.event, payload: sent.payload }
      socket.send(JSON.stringify([joinRef, null, topic, 'broadcast', body]))
    }
  })

  const cut = (): void => {
    for (const socket of sockets.clients) socket.terminate()
  }
  return {
    get joins() {
      return counts.joins
    },
    get broadcasts() {
      return counts.broadcasts
    },
    goDown: () => {
      isDown = true
      cut()
    },
    close: async () => {
      cut()
      sockets.close()
      await listener.end()
    },
  }
}

/** Row security guards private topics; only the service role passes without a policy. */
function mayJoin(payload: unknown, serviceRoleKey: string): boolean {
  const { config, access_token: token } = payload as { config: { private?: boolean }; access_token?: string } // Supabase's own
  return config.private === true && token === serviceRoleKey
}
