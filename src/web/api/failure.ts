/** The server's refusal, as every route words it: `{error: {code, message, action?}}`. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly status: number
  readonly code: string
  readonly action: string | undefined
  constructor(status: number, error: { code: string; message: string; action?: string | undefined }) {
    super(error.message)
    this.status = status
    this.code = error.code
    this.action = error.action
  }
}

/** Reads the refusal out of a body; whatever stands between us and the server may have answered instead. */
export function failureOf(status: number, body: unknown): Failure {
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined
  if (typeof error !== 'object' || error === null) {
    return new Failure(status, { code: 'UNREACHABLE', message: `HTTP ${status}` })
  }
  const { code, message, action } = error as Record<string, unknown> // every field is checked below
  return new Failure(status, {
    code: typeof code === 'string' ? code : 'UNREACHABLE',
    message: typeof message === 'string' ? message : `HTTP ${status}`,
    action: typeof action === 'string' ? action : undefined,
  })
}
