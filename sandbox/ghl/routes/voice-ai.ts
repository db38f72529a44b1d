/** `/voice-ai/dashboard/call-logs`: the calls that a location's Voice AI agents took, by page. */
import { z } from 'zod'
import { type ApiAnswer, type ApiCall, type ApiRoute, checkLocation } from '../api.ts'
import { documentId, objectId } from '../ids.ts'
import { refuse, refuseFields } from '../refusal.ts'
import type { SandboxParts } from '../sandbox-parts.ts'
import { validated } from '../validation.ts'
import type { Location, VoiceCall } from '../world.ts'

const MAX_PAGE_SIZE = 50

const ACTION_TYPES = [
  'CALL_TRANSFER',
  'DATA_EXTRACTION',
  'IN_CALL_DATA_EXTRACTION',
  'WORKFLOW_TRIGGER',
  'SMS',
  'APPOINTMENT_BOOKING',
  'CUSTOM_ACTION',
  'KNOWLEDGE_BASE',
] as const

const text = z.string().optional()
/** Comma list, each part one of the known kinds. */
const actionTypes = z
  .string()
  .refine((value) => value.split(',').every((part) => (ACTION_TYPES as readonly string[]).includes(part)), {
    error: 'must be a valid enum value',
  })
const epochMs = z.coerce.number().int().nonnegative().optional()
const logsQuery = z.strictObject({
  locationId: z.string().min(1),
  agentId: text,
  contactId: text,
  callType: z.enum(['LIVE', 'TRIAL']).optional(),
  startDate: epochMs,
  endDate: epochMs,
  actionType: actionTypes.optional(),
  sortBy: z.enum(['duration', 'createdAt']).default('createdAt'),
  sort: z.enum(['ascend', 'descend']).default('descend'),
  page: z.coerce.number().int().min(1).default(1),
  pageSize: z.coerce.number().int().min(1).max(MAX_PAGE_SIZE).default(10),
})
type LogsQuery = z.infer<typeof logsQuery>
const oneQuery = z.strictObject({ locationId: z.string().min(1) })

export const newVoiceCallSchema = z.strictObject({
  id: text,
  contactId: text,
  agentId: text,
  fromNumber: text,
  createdAt: z.coerce.date().optional(),
  durationSec: z.number().nonnegative().optional(),
  isTrial: z.boolean().optional(),
  actionTypes: z.array(z.enum(ACTION_TYPES)).optional(),
  summary: text,
  transcript: text,
  extractedData: z.record(z.string(), z.unknown()).optional(),
  messageId: text,
})
export type NewVoiceCall = z.infer<typeof newVoiceCallSchema>

export function voiceAiRoutes({ world }: SandboxParts): ApiRoute[] {
  const scope = 'voice-ai-dashboard.readonly'
  return [
    {
      method: 'GET',
      path: '/voice-ai/dashboard/call-logs',
      scope,
      caller: 'location',
      handle: (call) => listCalls([...world.voiceCalls.values()], call),
    },
    {
      method: 'GET',
      path: '/voice-ai/dashboard/call-logs/:callId',
      scope,
      caller: 'location',
      handle(call) {
        const { locationId } = validated(oneQuery, call.query)
        checkLocation(call, locationId)
        const found = world.voiceCalls.get(call.params['callId'] ?? '')
        if (found?.locationId !== locationId) throw refuse(400, 'Call log not found')
        return { status: 200, body: voiceCallJson(found) }
      },
    },
  ]
}

export function addVoiceCall({ world }: SandboxParts, location: Location, input: NewVoiceCall): VoiceCall {
  const call: VoiceCall = {
    id: input.id ?? objectId(),
    locationId: location.id,
    contactId: input.contactId,
    agentId: input.agentId ?? objectId(),
    fromNumber: input.fromNumber ?? '+15550100000',
    createdAt: input.createdAt ?? new Date(),
    durationSec: input.durationSec ?? 60,
    isTrial: input.isTrial ?? false,
    actionTypes: input.actionTypes ?? [],
    summary: input.summary ?? 'The caller asked for opening hours.',
    transcript: input.transcript ?? 'bot: Hello! human: When do you open?',
    extractedData: input.extractedData ?? {},
    messageId: input.messageId ?? documentId(),
  }
  world.voiceCalls.set(call.id, call)
  return call
}

function listCalls(calls: readonly VoiceCall[], call: ApiCall): ApiAnswer {
  const query = validated(logsQuery, call.query)
  checkLocation(call, query.locationId)
  if ((query.startDate === undefined) !== (query.endDate === undefined)) {
    throw refuseFields(['startDate and endDate must be given together'])
  }
  const sign = query.sort === 'ascend' ? 1 : -1
  const keyOf = (each: VoiceCall) =>
    query.sortBy === 'duration' ? each.durationSec : each.createdAt.getTime()
  const found = calls
    .filter((each) => isWanted(each, query))
    .sort((a, b) => sign * (keyOf(a) - keyOf(b)) || a.id.localeCompare(b.id))
  const first = (query.page - 1) * query.pageSize
  return {
    status: 200,
    body: {
      total: found.length,
      page: query.page,
      pageSize: query.pageSize,
      callLogs: found.slice(first, first + query.pageSize).map(voiceCallJson),
    },
  }
}

function isWanted(call: VoiceCall, query: LogsQuery): boolean {
  const atMs = call.createdAt.getTime()
  const kinds = query.actionType?.split(',')
  return (
    call.locationId === query.locationId &&
    (query.agentId === undefined || call.agentId === query.agentId) &&
    (query.contactId === undefined || query.contactId.split(',').includes(call.contactId ?? '')) &&
    (query.callType === undefined || (query.callType === 'TRIAL') === call.isTrial) &&
    (query.startDate === undefined || atMs >= query.startDate) &&
    (query.endDate === undefined || atMs <= query.endDate) &&
    (kinds === undefined || call.actionTypes.some((kind) => kinds.includes(kind)))
  )
}

function voiceCallJson(call: VoiceCall): Record<string, unknown> {
  return {
    id: call.id,
    contactId: call.contactId,
    agentId: call.agentId,
    isAgentDeleted: false,
    fromNumber: call.fromNumber,
    createdAt: call.createdAt.toISOString(),
    duration: call.durationSec,
    trialCall: call.isTrial,
    executedCallActions: call.actionTypes.map((actionType) => ({
      actionType,
      actionName: actionType.toLowerCase(),
      executedAt: call.createdAt.toISOString(),
    })),
    summary: call.summary,
    transcript: call.transcript,
    translation: { enabled: false },
    extractedData: call.extractedData,
    messageId: call.messageId,
  }
}
