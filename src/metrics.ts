/**
 * Prometheus metrics of this process and, where the store counts, of all nodes. Labels are words of our own, few and fixed:
 * no ids, no numbers, no names. What each one means and when to worry stands in docs/runbook.md.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { IgnoredCount } from './bridge/ignored.ts'
import {
  DELIVERY_IGNORE_REASONS,
  type DeliveryIgnoreReason,
  INSTALLATION_STATUSES,
} from './bridge/installations.ts'
import type { Census, StatsStore } from './bridge/stats.ts'
import { MESSAGE_STATES, SESSION_STATUSES } from './core/message.ts'
import type { GhlCondition } from './ghl/ghl.ts'
import { CALL_OUTCOMES, type CallOutcome } from './ghl/transport.ts'

export interface MetricsDeps {
  readonly stats: Pick<StatsStore, 'census'>
  readonly ignored: Pick<IgnoredCount, 'counts'>
  /** Limit and breaker of every location that was called. */
  readonly conditions: () => readonly GhlCondition[]
  /** Locations that this node works for. */
  readonly heldLocations: () => number
}

export interface Metrics {
  /** For every request to GHL, also one that was not made. */
  readonly countCall: (outcome: CallOutcome) => void
  readonly countIgnoredDelivery: (reason: DeliveryIgnoreReason) => void
  /** The answer to a scrape. Never throws: a store that is down shows as `bridge_store_up 0`, and without its figures. */
  readonly expose: () => Promise<{ readonly contentType: string; readonly text: string }>
  /** Stops what runs by itself. */
  close(): void
}

const DIRECTIONS = ['inbound', 'outbound'] as const
const PRIORITIES = ['live', 'gateway', 'history'] as const
const BREAKER_STATES = ['closed', 'open', 'probing'] as const

/** What only exists once it is wired: the parts are built after the counter that they report to. */
export function createMetrics(deps: () => MetricsDeps): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const calls = new Counter({
    name: 'bridge_ghl_calls_total',
    help: 'Requests to GHL by outcome; limited and paused ones were not made',
    labelNames: ['outcome'],
    registers: [registry],
  })
  for (const outcome of CALL_OUTCOMES) calls.inc({ outcome }, 0)
  const deliveries = new Counter({
    name: 'bridge_deliveries_ignored_total',
    help: 'Agents’ messages that GHL delivered and that were not for WhatsApp, by reason',
    labelNames: ['reason'],
    registers: [registry],
  })
  for (const reason of DELIVERY_IGNORE_REASONS) deliveries.inc({ reason }, 0)
  const showStore = storeGauges(registry)
  const showGhl = ghlGauges(registry)
  const showNode = nodeGauges(registry)

  return {
    countCall: (outcome) => {
      calls.inc({ outcome })
    },
    countIgnoredDelivery: (reason) => {
      deliveries.inc({ reason })
    },
    expose: async () => {
      const { stats, conditions, ignored, heldLocations } = deps()
      showGhl(conditions())
      showNode(ignored.counts(), heldLocations())
      // Whatever keeps the store from counting is told by the metric, and by /ready.
      showStore(await stats.census().catch(() => undefined))
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
    close: () => {
      registry.clear()
    },
  }
}

function storeGauges(registry: Registry) {
  const registers = [registry]
  const isUp = new Gauge({
    name: 'bridge_store_up',
    help: '1 when the store answered this scrape',
    registers,
  })
  const messages = new Gauge({
    name: 'bridge_messages_last_day',
    help: 'Live messages of the last 24 hours by what became of them, all nodes',
    labelNames: ['direction', 'state'],
    registers,
  })
  const jobs = new Gauge({
    name: 'bridge_queue_jobs',
    help: 'Jobs that wait, that are parked for something outside, that were given up, all nodes',
    labelNames: ['state'],
    registers,
  })
  const oldest = new Gauge({
    name: 'bridge_queue_oldest_waiting_seconds',
    help: 'Age of the oldest job that could be done, parked ones aside, all nodes',
    registers,
  })
  const sessions = new Gauge({
    name: 'bridge_sessions',
    help: 'Numbers by status, all nodes',
    labelNames: ['status'],
    registers,
  })
  const installations = new Gauge({
    name: 'bridge_installations',
    help: 'Installations in GHL by status, all nodes',
    labelNames: ['status'],
    registers,
  })

  return (census: Census | undefined): void => {
    isUp.set(census === undefined ? 0 : 1)
    for (const gauge of [messages, jobs, sessions, installations]) gauge.reset()
    // Without labels a reset is zero, and zero would be a figure.
    oldest.remove()
    if (census === undefined) return
    for (const direction of DIRECTIONS)
      for (const state of MESSAGE_STATES) messages.set({ direction, state }, 0)
    for (const { direction, state, count } of census.messages) messages.set({ direction, state }, count)
    for (const status of SESSION_STATUSES) sessions.set({ status }, 0)
    for (const { status, count } of census.sessions) sessions.set({ status }, count)
    for (const status of INSTALLATION_STATUSES) installations.set({ status }, 0)
    for (const { status, count } of census.installations) installations.set({ status }, count)
    const { waiting, parked, dead, oldestWaitingMs } = census.queue
    jobs.set({ state: 'waiting' }, waiting)
    jobs.set({ state: 'parked' }, parked)
    jobs.set({ state: 'dead' }, dead)
    oldest.set((oldestWaitingMs ?? 0) / 1_000)
  }
}

function ghlGauges(registry: Registry) {
  const registers = [registry]
  const use = new Gauge({
    name: 'bridge_ghl_limit_use_ratio',
    help: 'Share of GHL’s limit that the busiest location has taken now, 0 to 1',
    registers,
  })
  const waiting = new Gauge({
    name: 'bridge_ghl_limit_waiting',
    help: 'Calls that wait for their turn under GHL’s limit',
    labelNames: ['priority'],
    registers,
  })
  const blocked = new Gauge({
    name: 'bridge_ghl_limit_blocked_locations',
    help: 'Locations that GHL asked to wait, or whose day is used up',
    registers,
  })
  const breakers = new Gauge({
    name: 'bridge_ghl_breakers',
    help: 'Circuit breakers, one per location, by state',
    labelNames: ['state'],
    registers,
  })

  return (conditions: readonly GhlCondition[]): void => {
    const limits = conditions.flatMap(({ limit }) => limit ?? [])
    use.set(Math.max(0, ...limits.map(({ used, max }) => used / max)))
    for (const priority of PRIORITIES)
      waiting.set(
        { priority },
        limits.reduce((sum, limit) => sum + limit.waiting[priority], 0),
      )
    blocked.set(limits.filter(({ blockedUntilMs }) => blockedUntilMs !== undefined).length)
    for (const state of BREAKER_STATES)
      breakers.set({ state }, conditions.filter(({ breaker }) => breaker?.state === state).length)
  }
}

function nodeGauges(registry: Registry) {
  const ignored = new Counter({
    name: 'bridge_ignored_total',
    help: 'WhatsApp messages that were ignored on purpose, by reason',
    labelNames: ['reason'],
    registers: [registry],
  })
  const held = new Gauge({
    name: 'bridge_locations_held',
    help: 'Locations that this node works for',
    registers: [registry],
  })
  const told = new Map<string, number>()

  return (counts: ReturnType<IgnoredCount['counts']>, locations: number): void => {
    held.set(locations)
    for (const [reason, count] of counts) {
      ignored.inc({ reason }, count - (told.get(reason) ?? 0))
      told.set(reason, count)
    }
  }
}
