/** Voice AI calls, page by page. */
import { z } from 'zod'
import type { CallLog, CallLogPage, CallLogSource } from '../bridge/call-logs.ts'
import { GhlError } from '../core/errors.ts'
import type { GhlClient } from './client.ts'
import { refusalError } from './refusals.ts'

/** The most that GHL gives. @see ghl.md 6. */
const PAGE_SIZE = 50

const text = z.string().nullish().catch(undefined)
const callSchema = z.looseObject({
  id: z.string(),
  agentId: text,
  contactId: text,
  duration: z.number().nullish().catch(undefined),
  trialCall: z.boolean().nullish().catch(undefined),
  createdAt: z
    .union([z.string(), z.number()])
    .transform((value) => new Date(value))
    .refine((date) => !Number.isNaN(date.getTime())),
})
const pageSchema = z.looseObject({ total: z.number(), callLogs: z.array(z.unknown()) })

export function createCallLogSource(client: GhlClient): CallLogSource {
  return {
    async page(locationId, { from, to }, page): Promise<CallLogPage> {
      const query = {
        locationId,
        page,
        pageSize: PAGE_SIZE,
        // Oldest first: what is added while we read comes behind what we have read, and moves nothing.
        sortBy: 'createdAt',
        sort: 'ascend',
        startDate: from.getTime(),
        endDate: to.getTime(),
      }
      const path = '/voice-ai/dashboard/call-logs'
      const { body, refusal } = await client.send(locationId, {
        method: 'GET',
        path,
        query,
        priority: 'history',
      })
      if (refusal !== undefined) {
        const error = refusalError(refusal, 'GHL refused the call logs')
        if (error.code !== 'GHL_FORBIDDEN') throw error
        throw new GhlError('GHL_FORBIDDEN', error.message, {
          details: error.details,
          action:
            'Add the scope voice-ai-dashboard.readonly to the app, then update or re-install it in this location.',
        })
      }
      const answer = pageSchema.safeParse(body).data
      if (answer === undefined) throw new GhlError('GHL_RESPONSE_INVALID', 'GHL answered without call logs')
      const isLast = answer.callLogs.length < PAGE_SIZE || page * PAGE_SIZE >= answer.total
      // One that lacks its id or time is left out: it would end every run at its page.
      const calls = answer.callLogs.flatMap((each) => callSchema.safeParse(each).data ?? [])
      const skipped = answer.callLogs.length - calls.length
      return { total: answer.total, calls: calls.map(toCall), skipped, isLast }
    },
  }
}

function toCall({
  id,
  agentId,
  contactId,
  duration,
  trialCall,
  createdAt,
  ...details
}: z.output<typeof callSchema>): CallLog {
  return {
    callId: id,
    agentId: agentId ?? undefined,
    ghlContactId: contactId ?? undefined,
    durationSec: duration == null ? undefined : Math.round(duration),
    isTrial: trialCall ?? false,
    calledAt: createdAt,
    details,
  }
}
