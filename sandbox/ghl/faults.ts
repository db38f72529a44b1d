/**
 * Failures on demand: the next calls to a route get a status, a delay or a dead connection, before or after the
 * call took effect. "After" is the cruel one: the work is done and the client cannot know.
 */
import { z } from 'zod'
import { matchesRoute } from './call-log.ts'

export const faultSchema = z.strictObject({
  /** e.g. `POST /contacts/upsert`; `*` stands for anything. */
  route: z.string(),
  locationId: z.string().optional(),
  /** Only calls whose parsed body has this in it. It is met when the body is here, behind the checks of the front door. */
  mentions: z.string().optional(),
  /** How many calls it hits; null: until cleared. */
  times: z.number().int().positive().nullable().default(1),
  /** How many matching calls pass untouched first. */
  skip: z.number().int().nonnegative().default(0),
  when: z.enum(['before', 'after']).default('before'),
  effect: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('status'),
      status: z.number().int().min(200).max(599),
      body: z.unknown().optional(),
      headers: z.record(z.string(), z.string()).optional(),
      /** The body compressed, as GHL's front does for whoever accepts it. Only `before`. */
      gzip: z.boolean().default(false),
    }),
    z.strictObject({ kind: z.literal('delay'), ms: z.number().int().nonnegative() }),
    z.strictObject({ kind: z.literal('drop') }),
  ]),
})

/** As a test writes it: everything but route and effect has a default. */
export type FaultInput = z.input<typeof faultSchema>
type Stored = z.infer<typeof faultSchema>
/** Waits until it is let go; only within one process, see {@link FaultBook.hold}. */
interface Hold {
  readonly kind: 'hold'
  readonly met: () => void
  readonly until: Promise<void>
}
export type Fault = Omit<Stored, 'effect'> & { readonly effect: Stored['effect'] | Hold }

/** A call that stands still at GHL's door. */
export interface Held {
  /** Resolves when the call has come. */
  readonly met: Promise<void>
  letGo(): void
}

export interface FaultBook {
  /** Adds a fault; returns how to take it back. */
  add(fault: FaultInput): () => void
  /** The next call to the route waits, before it takes effect, until it is let go. */
  hold(route: string): Held
  clear(): void
  /** The first fault that this call meets; using it counts it down. */
  take(route: string, locationId: string | undefined): Fault | undefined
  /** As `take`, of those that ask for a mention in the body. */
  takeMentioned(route: string, locationId: string | undefined, body: string): Fault | undefined
  list(): readonly Fault[]
}

export function createFaultBook(): FaultBook {
  let faults: Fault[] = []
  const takeOf = (matching: readonly Fault[]): Fault | undefined => {
    const due = matching.find((fault) => fault.skip === 0)
    for (const fault of matching) if (fault.skip > 0) fault.skip--
    if (!due) return undefined
    if (due.times !== null && --due.times === 0) faults = faults.filter((fault) => fault !== due)
    return due
  }
  const matching = (route: string, locationId: string | undefined): readonly Fault[] =>
    faults.filter(
      (fault) =>
        matchesRoute(fault.route, route) &&
        (fault.locationId === undefined || fault.locationId === locationId),
    )
  return {
    add(input) {
      const fault = faultSchema.parse(input)
      faults.push(fault)
      return () => {
        faults = faults.filter((other) => other !== fault)
      }
    },
    hold(route) {
      const come = Promise.withResolvers<void>()
      const go = Promise.withResolvers<void>()
      const effect: Hold = { kind: 'hold', met: come.resolve, until: go.promise }
      faults.push({ route, times: 1, skip: 0, when: 'before', effect })
      return { met: come.promise, letGo: go.resolve }
    },
    clear() {
      faults = []
    },
    take: (route, locationId) =>
      takeOf(matching(route, locationId).filter(({ mentions }) => mentions === undefined)),
    takeMentioned: (route, locationId, body) =>
      takeOf(
        matching(route, locationId).filter(
          ({ mentions }) => mentions !== undefined && body.includes(mentions),
        ),
      ),
    list: () => faults,
  }
}
