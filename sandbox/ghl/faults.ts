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
export type Fault = z.infer<typeof faultSchema>

export interface FaultBook {
  /** Adds a fault; returns how to take it back. */
  add(fault: FaultInput): () => void
  clear(): void
  /** The first fault that this call meets; using it counts it down. */
  take(route: string, locationId: string | undefined): Fault | undefined
  list(): readonly Fault[]
}

export function createFaultBook(): FaultBook {
  let faults: Fault[] = []
  return {
    add(input) {
      const fault = faultSchema.parse(input)
      faults.push(fault)
      return () => {
        faults = faults.filter((other) => other !== fault)
      }
    },
    clear() {
      faults = []
    },
    take(route, locationId) {
      const matching = faults.filter(
        (fault) =>
          matchesRoute(fault.route, route) &&
          (fault.locationId === undefined || fault.locationId === locationId),
      )
      const due = matching.find((fault) => fault.skip === 0)
      for (const fault of matching) if (fault.skip > 0) fault.skip--
      if (!due) return undefined
      if (due.times !== null && --due.times === 0) faults = faults.filter((fault) => fault !== due)
      return due
    },
    list: () => faults,
  }
}
