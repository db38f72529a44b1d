/**
 * The API's front door. Every call passes, in this order: record, fault on demand, `Version`, bearer, kind of
 * token, scope, rate limit, then its route. Routes are plain functions from a call to an answer; they throw a
 * `Refusal` to say no.
 */

import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type RecordedCall, summarised } from './call-log.ts'
import { publishExchange } from './exchanges.ts'
import type { Fault } from './faults.ts'
import { Refusal, refuse } from './refusal.ts'
import type { SandboxParts } from './sandbox-parts.ts'
import type { Caller } from './tokens.ts'

export interface ApiCall {
  readonly caller: Caller
  readonly params: Record<string, string>
  readonly query: unknown
  readonly body: unknown
  /** For a body that is read as a stream. */
  readonly raw: IncomingMessage
  /** `METHOD /route/:pattern`, for counters. */
  readonly route: string
}

export interface ApiAnswer {
  status: number
  body: unknown
}

export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly scope: string
  /** Which tokens it takes. `any` takes a location's and an agency's. */
  readonly caller: 'location' | 'company' | 'any'
  handle(call: ApiCall): ApiAnswer | Promise<ApiAnswer>
}

const KNOWN_VERSIONS = new Set(['v3', '2023-02-21', '2021-07-28', '2021-04-15'])

/** What the sandbox serves beside the API: pages, files and control. Neither recorded nor limited. */
function isOwnPath(path: string): boolean {
  return path === '/' || path.startsWith('/_')
}

const calls = new WeakMap<FastifyRequest, RecordedCall>()
const faultsAfter = new WeakMap<FastifyRequest, Fault>()
const callers = new WeakMap<FastifyRequest, Caller>()

/** Records calls and plays faults; also gives unknown routes and thrown refusals their answers. */
export function watchApi(server: FastifyInstance, parts: SandboxParts): void {
  server.addHook('onRequest', async (request, reply) => {
    const path = pathOf(request)
    if (isOwnPath(path)) return
    const call = parts.callLog.begin({
      method: request.method,
      route: routeOf(request),
      path,
      version: headerOf(request, 'version'),
    })
    call.locationId = parts.tokens.find(bearerOf(request))?.locationId
    calls.set(request, call)
    const fault = parts.faults.take(call.route, call.locationId)
    if (fault) await meetFault(fault, call, request, reply)
  })
  server.addHook('preHandler', async (request, reply) => {
    const call = calls.get(request)
    if (!call || isStream(request.body)) return
    call.bodySummary = summarised(request.body)
    const body = JSON.stringify(request.body ?? null)
    const fault = parts.faults.takeMentioned(call.route, call.locationId, body)
    if (fault) await meetFault(fault, call, request, reply)
  })
  server.addHook('onSend', async (request, reply, payload) => {
    const fault = faultsAfter.get(request)
    faultsAfter.delete(request)
    const call = calls.get(request)
    if (call && call.fault === undefined) publishExchange(request, reply.statusCode, payload)
    if (fault && call) await spoilAnswer(fault, parts, call, request, reply)
    return undefined
  })
  server.addHook('onResponse', async (request, reply) => {
    const call = calls.get(request)
    if (call && call.status === null) parts.callLog.end(call, reply.statusCode)
  })
  server.setNotFoundHandler(async (request, reply) => {
    const path = pathOf(request)
    if (!isOwnPath(path)) {
      parts.callLog.note({
        kind: 'unknown-route',
        route: `${request.method} ${path}`,
        detail: 'no such endpoint',
      })
    }
    await reply
      .status(404)
      .send({ statusCode: 404, message: `Cannot ${request.method} ${path}`, error: 'Not Found' })
  })
  server.setErrorHandler(async (error, request, reply) => {
    const refusal = asRefusal(error)
    const counted = isOwnPath(pathOf(request)) ? [] : refusal.unknownProperties
    for (const property of counted) {
      parts.callLog.note({ kind: 'unknown-property', route: routeOf(request), detail: property })
    }
    await reply.status(refusal.status).send(refusal.body)
  })
}

export function addApiRoutes(
  server: FastifyInstance,
  parts: SandboxParts,
  routes: readonly ApiRoute[],
): void {
  for (const route of routes) {
    server.route({
      method: route.method,
      url: route.path,
      // Before the body is read: a refused upload must not be swallowed first.
      onRequest: async (request, reply) => {
        callers.set(request, admit(parts, route, request, reply))
      },
      handler: async (request, reply) => {
        const caller = callers.get(request)
        if (!caller) throw refuse(401, 'Invalid JWT')
        const answer = await route.handle({
          caller,
          // Fastify types params as unknown; every path here has named text segments only.
          params: request.params as Record<string, string>,
          query: request.query,
          body: request.body,
          raw: request.raw,
          route: routeOf(request),
        })
        return reply.status(answer.status).send(answer.body)
      },
    })
  }
}

function admit(parts: SandboxParts, route: ApiRoute, request: FastifyRequest, reply: FastifyReply): Caller {
  checkVersion(headerOf(request, 'version'))
  const caller = authenticated(parts, bearerOf(request))
  checkKind(route, caller)
  // The service may word the scope of a private token otherwise; it never reaches provider calls.
  if (!caller.scopes.includes(route.scope)) throw refuse(401, 'The token is not authorized for this scope.')
  const limit = parts.limiter.take(caller.locationId ?? caller.companyId)
  reply.headers(limit.headers)
  if (!limit.allowed) throw refuse(429, 'Too Many Requests')
  return caller
}

function checkVersion(version: string | undefined): void {
  if (version === undefined) throw refuse(401, 'version header was not found.')
  if (!KNOWN_VERSIONS.has(version)) {
    throw refuse(400, `Invalid API version segment '${version}' at position 0`)
  }
}

function authenticated(parts: SandboxParts, token: string): Caller {
  if (token.split('.').length !== 3 && !token.startsWith('pit-')) throw refuse(401, 'Invalid JWT')
  const caller = parts.tokens.find(token)
  if (!caller) throw refuse(401, 'Invalid token: access token is invalid')
  if (caller.expiresAtMs <= Date.now()) throw refuse(401, 'Invalid JWT')
  return caller
}

function checkKind(route: ApiRoute, caller: Caller): void {
  // An agency's private token never stands for one of its locations, nor does it mint.
  if (caller.authClass === 'Private' && caller.locationId === undefined) {
    throw refuse(401, "Token's user type mismatch!")
  }
  const isCompany = caller.authClass === 'Company'
  const fits = route.caller === 'any' || (route.caller === 'company') === isCompany
  if (!fits) {
    throw refuse(
      401,
      'This authClass type is not allowed to access this scope. Please use the correct authClass type.',
    )
  }
}

/** The location that a location token speaks for. */
export function locationIdOf(call: ApiCall): string {
  if (call.caller.locationId === undefined)
    throw refuse(403, 'The token does not have access to this location.')
  return call.caller.locationId
}

/** @throws {Refusal} 403 when the call names a location that the token is not for. */
export function checkLocation(call: ApiCall, locationId: string): void {
  if (call.caller.locationId !== locationId)
    throw refuse(403, 'The token does not have access to this location.')
}

async function meetFault(
  fault: Fault,
  call: RecordedCall,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  call.fault = `${fault.effect.kind} ${fault.when}`
  if (fault.when === 'after') {
    faultsAfter.set(request, fault)
    return
  }
  const { effect } = fault
  switch (effect.kind) {
    case 'hold':
      effect.met()
      await effect.until
      return
    case 'delay':
      await sleep(effect.ms)
      return
    case 'status': {
      const body = effect.body ?? { statusCode: effect.status, message: 'Fault on demand' }
      reply.headers(effect.headers ?? {})
      if (!effect.gzip) throw new Refusal(effect.status, body)
      const compressed = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
      await reply
        .status(effect.status)
        .headers(compressed)
        .send(gzipSync(JSON.stringify(body)))
      return
    }
    case 'drop':
      call.status = 0
      reply.hijack()
      request.raw.socket.destroy()
  }
}

async function spoilAnswer(
  { effect }: Fault,
  parts: SandboxParts,
  call: RecordedCall,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  switch (effect.kind) {
    case 'hold':
      return
    case 'delay':
      await sleep(effect.ms)
      return
    case 'status':
      // The body stays the true one: only the status lies, as with a gateway that gave up waiting.
      reply.status(effect.status).headers(effect.headers ?? {})
      return
    case 'drop':
      parts.callLog.end(call, 0)
      request.raw.socket.destroy()
  }
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number') {
    return refuse(error.statusCode, error.message)
  }
  return refuse(500, error instanceof Error ? error.message : 'Internal Server Error')
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?')[0] ?? request.url
}

export function routeOf(request: FastifyRequest): string {
  return `${request.method} ${request.routeOptions.url ?? pathOf(request)}`
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

function bearerOf(request: FastifyRequest): string {
  return /^Bearer (.+)$/.exec(headerOf(request, 'authorization') ?? '')?.[1] ?? ''
}

function isStream(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'pipe' in body
}
