/** A bare client of the GHL API for the sandbox's own tests: it adds headers and reads JSON, nothing else. */
import { createPublicKey, verify } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import { z } from 'zod'
import type { GhlSandbox } from '../../sandbox/ghl/in-process.ts'

export interface Answer {
  status: number
  headers: Headers
  /** The JSON body; an empty object for an empty body. */
  body: Record<string, unknown>
}

export interface ApiClient {
  get(path: string, headers?: Record<string, string>): Promise<Answer>
  send(method: string, path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>
}

const record = z.record(z.string(), z.unknown())

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: record.parse(text === '' ? {} : JSON.parse(text)),
  }
}

/** Calls with the right headers for `token`; `headers` overrides, and an empty value leaves one out. */
export function apiClient(url: string, token: string): ApiClient {
  const headersWith = (overrides: Record<string, string> = {}) =>
    Object.entries({ authorization: `Bearer ${token}`, version: '2021-07-28', ...overrides }).filter(
      ([, value]) => value !== '',
    )
  return {
    get: async (path, headers) => answerOf(await fetch(url + path, { headers: headersWith(headers) })),
    send: async (method, path, body, headers) =>
      answerOf(
        await fetch(url + path, {
          method,
          headers: headersWith({ 'content-type': 'application/json', ...headers }),
          body: JSON.stringify(body),
        }),
      ),
  }
}

/** A value inside an answer by path, e.g. `at(answer.body, 'contact.id')`, as text. */
export function at(body: unknown, path: string): string {
  return String(valueAt(body, path))
}

export function valueAt(body: unknown, path: string): unknown {
  const member = (value: unknown, key: string): unknown =>
    Array.isArray(value) ? value[Number(key)] : record.parse(value)[key]
  return path.split('.').reduce<unknown>(member, body)
}

export interface ReceivedPost {
  path: string
  headers: IncomingMessage['headers']
  rawBody: string
  body: Record<string, unknown>
}

/** Plays the bridge's webhook doors: keeps what arrives and answers as told. */
export interface Receiver extends AsyncDisposable {
  readonly url: string
  readonly received: ReceivedPost[]
  /** Statuses for the next posts, then 200. `hang up` destroys the connection. */
  readonly answers: (number | 'hang up')[]
}

export async function startReceiver(): Promise<Receiver> {
  const received: ReceivedPost[] = []
  const answers: Receiver['answers'] = []
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const rawBody = Buffer.concat(chunks).toString()
      received.push({
        path: request.url ?? '',
        headers: request.headers,
        rawBody,
        body: record.parse(JSON.parse(rawBody)),
      })
      const answer = answers.shift() ?? 200
      if (answer === 'hang up') request.socket.destroy()
      else response.writeHead(answer).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server's address is an object; only pipes have a string.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    answers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export function isSignedBy(publicKey: string, post: ReceivedPost): boolean {
  const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
  const signature = Buffer.from(String(post.headers['x-ghl-signature'] ?? ''), 'base64')
  return verify(null, Buffer.from(post.rawBody), key, signature)
}

/** The install link with everything right; `overrides` breaks or adds, an empty value leaves out. */
export function installLink(
  ghl: GhlSandbox,
  redirectUri: string,
  overrides: Record<string, string> = {},
): string {
  const query = {
    response_type: 'code',
    client_id: ghl.clientId,
    redirect_uri: redirectUri,
    scope: 'contacts.readonly contacts.write conversations/message.write oauth.readonly oauth.write',
    ...overrides,
  }
  const given = Object.entries(query).filter(([, value]) => value !== '')
  return `${ghl.marketplaceUrl}/v2/oauth/chooselocation?${new URLSearchParams(given).toString()}`
}

/** Follows the install link as a person who approves at once; the code of the redirect. */
export async function approvedCode(
  ghl: GhlSandbox,
  redirectUri: string,
  choice: Record<string, string>,
): Promise<string> {
  const response = await fetch(installLink(ghl, redirectUri, { ...choice, approve: '1' }), {
    redirect: 'manual',
  })
  const target = new URL(response.headers.get('location') ?? 'missing:')
  return target.searchParams.get('code') ?? ''
}

/** `POST /oauth/token` with this app's credentials. */
export async function requestToken(ghl: GhlSandbox, fields: Record<string, string>): Promise<Answer> {
  const form = { client_id: ghl.clientId, client_secret: ghl.clientSecret, ...fields }
  return answerOf(await fetch(`${ghl.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) }))
}

/** `expect(...)` on something that becomes true within a few seconds, also on a busy machine. */
export function soon<Value>(read: () => Value) {
  return expect.poll(read, { timeout: 8000, interval: 20 })
}
