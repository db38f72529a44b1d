/** Shapes that several routes share; the OpenAPI document is made from them. */
import { parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { z } from 'zod'
import type { NumbersState, TokenHealth } from '../bridge/installations.ts'
import { MESSAGE_STATES, SESSION_STATUSES } from '../core/message.ts'

/** Any id of ours or of GHL's. */
export const Id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)
export const LocationParams = z.object({ locationId: Id })
export const SessionParams = LocationParams.extend({ id: Id })

/** As people write it, with its country code; E.164 from there on. Mexico's former 1 is WhatsApp's own way to show it. */
export const Phone = z
  .string()
  .overwrite((text) => text.trim().replaceAll(/[\s().-]/g, ''))
  .refine((text) => parsePhoneNumberFromString(text)?.isPossible() === true || /^\+521\d{10}$/.test(text), {
    error: 'must be a number like +15551230001',
  })

export const TOKEN_HEALTHS = [
  'healthy',
  'expiring',
  'expired',
  'pending',
  'needs_reconnect',
  'uninstalled',
  'deactivated',
] as const satisfies readonly TokenHealth[]

export const NUMBERS_STATES = [
  'ready',
  'reconnecting',
  'scan',
  'person',
  'none',
] as const satisfies readonly NumbersState[]

export const ProblemBody = z.object({ code: z.string(), message: z.string(), action: z.string().nullable() })

export const SessionBody = z.object({
  id: z.string(),
  locationId: z.string(),
  status: z.enum(SESSION_STATUSES),
  phoneNumber: z.string().nullable(),
  name: z.string().nullable(),
  isDefault: z.boolean(),
  qr: z.string().nullable(),
  pairingCode: z.string().nullable(),
  expiresAt: z.string().nullable(),
  expiresInMs: z
    .number()
    .int()
    .nullable()
    .describe('How long the QR or the code can be used from now on: for a reader whose clock is wrong'),
  expectedPhone: z.string().nullable(),
  problem: z
    .object({
      code: z.string(),
      message: z.string(),
      action: z.string(),
      until: z.string().nullable().describe('When WhatsApp said that it ends by itself'),
      scannedPhone: z.string().nullable().describe('What was paired instead of the right number'),
      connectedAs: z
        .string()
        .nullable()
        .describe('The name of the number as which that phone is connected here already'),
    })
    .nullable(),
  notice: z
    .object({ code: z.string(), message: z.string(), action: z.string(), until: z.string() })
    .nullable()
    .describe('What a number cannot do for a while although it is connected'),
  nextAttemptAt: z.string().nullable().describe('When it connects again by itself'),
  lastSeenAt: z.string().nullable(),
})

/** A default is changed by choosing another one. */
export const SessionEditBody = z.strictObject({
  name: z.string().trim().min(1).max(60).nullable().exactOptional(),
  isDefault: z.literal(true).exactOptional(),
})

export const MessageBody = z.object({
  id: z.string(),
  locationId: z.string(),
  sessionId: z.string().nullable(),
  direction: z.enum(['inbound', 'outbound']),
  kind: z.string(),
  state: z.enum(MESSAGE_STATES),
  chat: z.string().nullable(),
  waMessageId: z.string().nullable(),
  ghlMessageId: z.string().nullable(),
  attempts: z.number().int(),
  nextAttemptAt: z.string().nullable(),
  error: z.object({ code: z.string(), message: z.string(), action: z.string().nullable() }).nullable(),
  contact: z
    .object({ name: z.string().nullable(), phoneNumber: z.string().nullable(), isGroup: z.boolean() })
    .nullable()
    .describe(
      'Whom it is from or for: the name on WhatsApp (or a group’s subject) and the number, as far as known',
    ),
  queue: z
    .object({
      ahead: z.number().int(),
      reason: z.object({ code: z.string(), message: z.string() }).nullable(),
    })
    .nullable()
    .describe(
      'While it is on its way: how many of its chat go before it, and what the first of them met last',
    ),
  writtenAt: z
    .string()
    .nullable()
    .describe('When it was written, where that is known apart from `createdAt`, when it reached the bridge'),
  discardedAt: z.string().nullable().describe('When a person said to drop it; its state may stay `failed`'),
  preview: z
    .string()
    .nullable()
    .describe(
      'Its first words (about 80 characters), or what it is; in lists only, and never for plain users of a page',
    ),
  createdAt: z.string(),
  updatedAt: z.string(),
})

const count = z.number().int()
/** What came, and what became of it by now. */
export const LedgerCounts = z.object({
  inbound: z.object({ received: count, inGhl: count, waiting: count, failed: count, discarded: count }),
  outbound: z.object({
    accepted: count,
    sent: count,
    delivered: count,
    read: count,
    failed: count,
    discarded: count,
    held: count,
    waiting: count,
  }),
})
