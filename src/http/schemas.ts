/** Shapes that several routes share; the OpenAPI document is made from them. */
import { z } from 'zod'
import { SESSION_STATUSES } from '../core/message.ts'

export const LocationParams = z.object({ locationId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/) })
export const SessionParams = LocationParams.extend({ id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/) })

export const Phone = z.string().regex(/^\+[1-9]\d{6,14}$/, { error: 'must be a number like +15551230001' })

export const SessionBody = z.object({
  id: z.string(),
  locationId: z.string(),
  status: z.enum(SESSION_STATUSES),
  phoneNumber: z.string().nullable(),
  name: z.string().nullable(),
  isDefault: z.boolean(),
  qr: z.string().nullable(),
  pairingCode: z.string().nullable(),
  problem: z.object({ code: z.string(), message: z.string(), action: z.string() }).nullable(),
  lastSeenAt: z.string().nullable(),
})
