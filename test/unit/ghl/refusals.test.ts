import { describe, expect, it } from 'vitest'
import { AUTH_REFUSALS, authVerdict, parseRefusal, refusalError } from '../../../src/ghl/refusals.ts'

const refusal = (status: number, message: string, canonicalCode?: string) =>
  parseRefusal(status, { statusCode: status, message, ...(canonicalCode && { canonicalCode }) })

describe('which 401 and 403 a new token can cure', () => {
  const rows = [
    [401, 'You do not have access', 'refuse', 'CONVERSATIONS_MSG_PROVIDER_NO_ACCESS'],
    [403, 'No conversation provider found for this message', 'too_early'],
    [401, 'No conversation provider found for this message', 'too_early'],
    [401, 'The token is not authorized for this scope.', 'refuse'],
    [401, "Token's user type mismatch!", 'refuse'],
    [401, 'This authClass type is not allowed to access this scope. Please use the correct one', 'refuse'],
    [403, 'This authClass type is not allowed to access this scope. Please use the correct one', 'refuse'],
    [403, 'The token does not have access to this location.', 'refuse'],
    [401, 'version header was not found.', 'refuse'],
    [401, 'No message found for the id', 'refuse'],
    [401, 'Invalid JWT', 'refresh'],
    [401, 'jwt expired', 'refresh'],
    [401, 'The token has expired', 'refresh'],
    [401, 'Invalid token: access token is invalid', 'refresh'],
    [401, 'words nobody has seen', 'refresh_if_old'],
    [403, 'Forbidden resource', 'refuse'],
    [400, 'Bad Request', undefined],
    [429, 'Too Many Requests', undefined],
  ] as const

  it.each(rows)('%i "%s" means %s', (status, message, verdict, canonicalCode?) => {
    expect(authVerdict(refusal(status, message, canonicalCode))).toBe(verdict)
  })

  it('has a case here for every row of the table', () => {
    const hit = new Set(
      rows.map(([status, message, , code]) =>
        AUTH_REFUSALS.findIndex(
          (row) =>
            row.status.includes(status) &&
            (row.canonicalCode === undefined || row.canonicalCode === code) &&
            (row.words === undefined || row.words.test(message)),
        ),
      ),
    )
    expect(AUTH_REFUSALS.map((_, index) => index).filter((index) => !hit.has(index))).toEqual([])
  })
})

describe('a refusal of GHL', () => {
  it.each([
    [429, 'Too Many Requests', undefined, 'GHL_RATE_LIMITED', 'not_sent'],
    [500, 'Internal Server Error', undefined, 'GHL_UNAVAILABLE', 'unknown'],
    [503, 'Unavailable', undefined, 'GHL_UNAVAILABLE', 'unknown'],
    [
      400,
      'Contact not found for id:x',
      'CONVERSATIONS_CONTACT_NOT_FOUND',
      'GHL_CONTACT_NOT_FOUND',
      'not_sent',
    ],
    [400, 'Contact with id x not found', undefined, 'GHL_CONTACT_NOT_FOUND', 'not_sent'],
    [403, 'No conversation provider found for this message', undefined, 'GHL_STATUS_TOO_EARLY', 'not_sent'],
    [401, 'x', 'CONVERSATIONS_MSG_PROVIDER_NO_ACCESS', 'GHL_FORBIDDEN', 'not_sent'],
    [422, 'property x should not exist', undefined, 'GHL_REJECTED', 'not_sent'],
    [400, 'DND', 'CONVERSATIONS_MSG_DND_ACTIVE_SMS', 'GHL_REJECTED', 'not_sent'],
  ])('%i %s (%s) is %s', (status, message, code, expected, certainty) => {
    expect(refusalError(refusal(status, message, code), 'GHL refused')).toMatchObject({
      code: expected,
      certainty,
    })
  })

  it.each([
    ['a string', { statusCode: 400, message: 'one' }, 'one'],
    ['a list', { statusCode: 422, message: ['one', 'two'], error: 'Unprocessable Entity' }, 'one; two'],
    ['OAuth’s own', { error: 'UnAuthorized!', error_description: 'code not found' }, 'code not found'],
    ['version 3', { error: { code: 'X', message: 'inner', details: {}, resolution: '' } }, 'inner'],
    ['the upload’s', { status: 413, message: 'too big' }, 'too big'],
    ['nothing at all', undefined, 'HTTP 400'],
    ['HTML', '<html>', 'HTTP 400'],
  ])('is read when its message is %s', (_, body, message) => {
    expect(parseRefusal(400, body).message).toBe(message)
  })

  it.each([
    ['400', 400, { statusCode: 400, message: 'no', traceId: 'T' }, 'GHL_REJECTED'],
    ['401', 401, { statusCode: 401, message: 'no', error: 'Unauthorized', traceId: 'T' }, 'GHL_UNAVAILABLE'],
    ['422', 422, { statusCode: 422, message: ['a', 'b'], error: 'x', traceId: 'T' }, 'GHL_REJECTED'],
    [
      'the conversations area',
      400,
      {
        statusCode: 400,
        error: 'Bad Request',
        message: 'Contact not found for id:x',
        canonicalCode: 'CONVERSATIONS_CONTACT_NOT_FOUND',
        arguments: {},
        traceId: 'T',
      },
      'GHL_CONTACT_NOT_FOUND',
    ],
    [
      '/oauth/token',
      400,
      { error: 'invalid_grant', error_description: 'spent', traceId: 'T' },
      'GHL_REJECTED',
    ],
    [
      'version 3',
      400,
      { error: { code: 'C', message: 'no', details: {}, resolution: '', traceId: 'T' } },
      'GHL_REJECTED',
    ],
    ['an upload', 415, { status: 415, message: 'no', traceId: 'T' }, 'GHL_REJECTED'],
    ['a limit', 429, { statusCode: 429, message: 'Too many', traceId: 'T' }, 'GHL_RATE_LIMITED'],
    ['an outage', 503, { statusCode: 503, message: 'Down', meta: { traceId: 'T' } }, 'GHL_UNAVAILABLE'],
  ])('in the shape of %s becomes a typed error with its trace', (_, status, body, code) => {
    const error = refusalError(parseRefusal(status, body), 'GHL refused')
    expect(error).toMatchObject({ code, details: { status, traceId: 'T' } })
  })

  it.each([
    ['at the top', { canonicalCode: 'C' }],
    ['under error', { error: { canonicalCode: 'C' } }],
    ['under meta', { meta: { canonicalCode: 'C' } }],
  ])('gives its canonical code when that stands %s', (_, body) => {
    expect(parseRefusal(400, body).canonicalCode).toBe('C')
  })

  it('carries status, code and trace for the log, and no phone number', () => {
    const error = refusalError(
      parseRefusal(400, { message: 'phone +15551230001 is wrong', canonicalCode: 'C', traceId: 't' }),
      'GHL refused the contact',
    )
    expect(error.details).toEqual({ status: 400, canonicalCode: 'C', traceId: 't' })
    expect(error.message).toBe('GHL refused the contact: phone +… is wrong')
  })
})

describe('what GHL says of people is masked', () => {
  it.each([
    ['phone +1 555-123-0001 is wrong', 'phone +… is wrong'],
    ['phone (555) 123-0001 is wrong', 'phone … is wrong'],
    ['+1 (555) 123-0001, +55 11 91234-5678', '+…, +…'],
    ['tel:+44 20 7946 0000; 06.12.34.56.78', 'tel:+…; …'],
    ['phone+1 555 123 0001', 'phone+…'],
    ['555‑123‑0001x12', '…x12'],
    ['since 2026-11-28 +1 555 123 0001', 'since 2026-11-28 +…'],
    ['15551230001@s.whatsapp.net is unknown', '… is unknown'],
    ['email Ada.Lovelace+spam@mail.example.com. is taken', 'email …. is taken'],
    ['<josé@correo.españa>', '<…>'],
  ])('%s', (said, shown) => {
    expect(refusal(400, said).message).toBe(shown)
  })

  it.each([
    'Contact not found for id:HjiMUOsCCHCjtxzEf8PR',
    'location 64c1a2b3c4d5e6f708192a3b in 37bac211-1f52-4111-8222-8d2a11a20dd5',
    'at 2026-11-28T12:46:26.332Z, 2026-11-28 12:46:26, 28.11.2026, 11/28/2026 and 2026-11-28 2026-11-29',
    '100 requests per 10 s, 200000 per day, HTTP 429, version 2021-07-28, from 192.168.100.200',
    'trace a1b2-1234-5678-9abc',
    "Token's user type mismatch!",
  ])('and nothing else: %s', (said) => {
    expect(refusal(400, said).message).toBe(said)
  })

  it('whatever the length of the text, at once', () => {
    const startedAtMs = performance.now()
    for (const piece of ['a', '1 ', '(', '1.', '@a', 'a.a@'])
      expect(refusal(400, piece.repeat(500_000)).message.length).toBeLessThanOrEqual(300)
    expect(performance.now() - startedAtMs).toBeLessThan(1_000)
  })
})
