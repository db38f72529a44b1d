/** What the SQL functions answer, checked and in our types: null becomes undefined, milliseconds become dates. */
import { z } from 'zod'
import { INSTALLATION_STATUSES, type InstallationRow } from '../bridge/installations.ts'
import type { Contact, SplitContacts } from '../bridge/storage/contacts.ts'
import type { MessageRow, OwedRead, Via } from '../bridge/storage/message-rows.ts'
import type { Job } from '../bridge/storage/outbox.ts'
import {
  type ChatJid,
  findChatJid,
  isLidJid,
  isPnJid,
  type LidJid,
  type PnJid,
  parseContactId,
  parseGhlContactId,
  parseGhlMessageId,
  parseLocationId,
  parseMessageId,
  parseSessionId,
  parseWaMessageId,
} from '../core/ids.ts'
import { MESSAGE_STATES, SESSION_STATUSES } from '../core/message.ts'

export const optional = <T extends z.ZodType>(schema: T) =>
  schema.nullable().transform((value) => value ?? undefined)
const idOf = <T>(parse: (text: string) => T) => z.string().transform(parse)

export const date = z.number().transform((ms) => new Date(ms))
export const sessionId = idOf(parseSessionId)
export const locationId = idOf(parseLocationId)
const chatJid = z.custom<ChatJid>((value) => typeof value === 'string' && findChatJid(value) === value)
const lidJid = z.custom<LidJid>((value) => typeof value === 'string' && isLidJid(value))
const pnJid = z.custom<PnJid>((value) => typeof value === 'string' && isPnJid(value))

const MessageErrorJson = z.object({
  code: z.string(),
  message: z.string(),
  action: z.string().exactOptional(),
})
export const MessageErrorRow = optional(MessageErrorJson)

export const ContactRow: z.ZodType<Contact> = z
  .object({
    contactId: idOf(parseContactId),
    locationId,
    lid: optional(lidJid),
    pn: optional(pnJid),
    chat: optional(chatJid),
    pushName: optional(z.string()),
    ghlContactId: optional(idOf(parseGhlContactId)),
    lastSessionId: optional(sessionId),
    lastFiled: z.string().nullish(),
  })
  .transform(({ lastFiled, ...contact }) => ({
    ...contact,
    ...(lastFiled != null && { lastFiled: parseGhlMessageId(lastFiled) }),
  }))

export const ViaRow: z.ZodType<Via> = z.object({
  name: optional(z.string()),
  phoneNumber: optional(z.string()),
  numbers: z.number(),
})

export const OwedReadRow: z.ZodType<OwedRead> = z.object({
  id: idOf(parseMessageId),
  chat: chatJid,
  author: z.string(),
  waMessageId: idOf(parseWaMessageId),
})

export const SplitContactsRow: z.ZodType<SplitContacts> = z.object({
  several: z.array(z.object({ contact: ContactRow, others: z.array(idOf(parseGhlContactId)) })),
  shared: z.array(z.object({ ghlContactId: idOf(parseGhlContactId), contacts: z.array(ContactRow) })),
  moved: z.array(z.object({ former: ContactRow, owner: ContactRow })),
  held: z.array(z.object({ contact: ContactRow, holder: idOf(parseGhlContactId) })),
})

export const MessageRowSchema: z.ZodType<MessageRow> = z.object({
  id: idOf(parseMessageId),
  locationId,
  sessionId: optional(sessionId),
  contactId: optional(idOf(parseContactId)),
  direction: z.enum(['inbound', 'outbound']),
  kind: z.string(),
  state: z.enum(MESSAGE_STATES),
  chat: optional(chatJid),
  waMessageId: optional(idOf(parseWaMessageId)),
  ghlMessageId: optional(idOf(parseGhlMessageId)),
  attempts: z.number(),
  nextAttemptAt: optional(date),
  error: MessageErrorRow,
  createdAt: date,
  updatedAt: date,
})

export const JobRow: z.ZodType<Job> = z.object({
  jobId: z.string(),
  lane: z.string(),
  locationId,
  token: z.string(),
  kind: z.enum(['inbound', 'outbound', 'ghl_status', 'note', 'contact', 'read']),
  subject: z.string(),
  attempts: z.number(),
  mayHaveHappened: z.boolean(),
})

const Wish = z.discriminatedUnion('kind', [
  z.object({ id: z.string(), kind: z.literal('pair'), codeFor: z.string().exactOptional() }),
  z.object({ id: z.string(), kind: z.enum(['restart', 'log_out']) }),
])

/** `live` is still sealed. */
export const SessionRowSchema = z.object({
  sessionId,
  locationId,
  status: z.enum(SESSION_STATUSES),
  phoneNumber: optional(z.string()),
  lid: optional(lidJid),
  name: optional(z.string()),
  isDefault: z.boolean(),
  problem: optional(
    z.object({
      code: z.string(),
      message: z.string(),
      action: z.string(),
      until: z.string().exactOptional(),
      scannedPhone: z.string().exactOptional(),
      connectedAs: z.string().exactOptional(),
    }),
  ),
  notice: optional(
    z.object({ code: z.string(), message: z.string(), action: z.string(), until: z.string() }),
  ),
  nextAttemptAt: optional(date),
  expectedPhone: optional(z.string()),
  live: optional(z.string()),
  wish: optional(Wish),
  lastSeenAt: optional(date),
  pairedAt: optional(date),
  createdAt: date,
})

export const InstallationRowSchema = z.object({
  installationId: z.string(),
  locationId: optional(locationId),
  companyId: optional(z.string()),
  userType: z.enum(['Location', 'Company']),
  status: z.enum(INSTALLATION_STATUSES),
  scopes: z.string(),
  locationName: optional(z.string()),
  timeZone: optional(z.string()),
  companyName: optional(z.string()),
  providerType: optional(z.enum(['Custom', 'SMS'])),
  providerAddress: optional(z.enum(['conversation'])),
  userId: optional(z.string()),
  versionId: optional(z.string()),
  isBulk: z.boolean(),
  whiteLabelDomain: optional(z.string()),
  problem: MessageErrorRow,
  tokenExpiresAt: date,
  refreshedAt: optional(date),
  checkedAt: optional(date),
  installedAt: date,
  uninstalledAt: optional(date),
}) satisfies z.ZodType<InstallationRow>

const TOKEN_HEALTHS = [
  'healthy',
  'expiring',
  'expired',
  'pending',
  'needs_reconnect',
  'uninstalled',
  'deactivated',
] as const

export const InstallationPage = z.object({
  rows: z.array(
    InstallationRowSchema.extend({ health: z.enum(TOKEN_HEALTHS), dead: z.number(), held: z.number() }),
  ),
  lastRank: z.string().nullable(),
  total: z.number(),
})

const tally = z.number().default(0)
export const HealthCounts = z.object({
  healthy: tally,
  expiring: tally,
  expired: tally,
  pending: tally,
  needs_reconnect: tally,
  uninstalled: tally,
  deactivated: tally,
})

export const TokenCounts = z.object({ access: tally, refresh: tally })

export const LocationCounts = z.object({
  tokens: HealthCounts,
  numbers: z.object({ ready: tally, reconnecting: tally, scan: tally, person: tally, none: tally }),
  letters: z.object({ failed: tally, held: tally, queued: tally, sending: tally }),
})

const count = z.number().int()
export const LedgerRow = z.object({
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
