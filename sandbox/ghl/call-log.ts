/**
 * The record of every API call received, and the counters of what a correct client never causes. Bodies are kept
 * as a short summary without secrets, enough to say which message a call was about.
 */

export interface RecordedCall {
  readonly id: number
  readonly at: Date
  readonly method: string
  /** Method and route pattern, e.g. `PUT /conversations/messages/:messageId/status`. */
  readonly route: string
  readonly path: string
  readonly version: string | undefined
  locationId: string | undefined
  /** null until answered; 0 when the connection was dropped on purpose. */
  status: number | null
  durationMs: number | null
  bodySummary: string
  /** The fault that was played, if any. */
  fault: string | undefined
}

export interface Oddity {
  readonly kind:
    | 'unknown-route'
    | 'unknown-property'
    | 'wrong-content-type'
    | 'status-went-back'
    | 'status-for-foreign-message'
    | 'nothing-stored'
    | 'same-alt-id-again'
  readonly route: string
  readonly detail: string
}

export interface CallFilter {
  /** A route as in `RecordedCall.route`; `*` stands for anything. */
  route?: string | undefined
  locationId?: string | undefined
  status?: number | undefined
  sinceId?: number | undefined
}

export interface CallLog {
  begin(call: Pick<RecordedCall, 'method' | 'route' | 'path' | 'version'>): RecordedCall
  end(call: RecordedCall, status: number): void
  note(oddity: Oddity): void
  calls(filter?: CallFilter): RecordedCall[]
  oddities(): readonly Oddity[]
  forget(): void
}

export function createCallLog(onCall: () => void): CallLog {
  let recorded: RecordedCall[] = []
  let odd: Oddity[] = []
  let lastId = 0
  return {
    begin(call) {
      const entry: RecordedCall = {
        ...call,
        id: ++lastId,
        at: new Date(),
        locationId: undefined,
        status: null,
        durationMs: null,
        bodySummary: '',
        fault: undefined,
      }
      recorded.push(entry)
      return entry
    },
    end(call, status) {
      call.status = status
      call.durationMs = Date.now() - call.at.getTime()
      onCall()
    },
    note: (oddity) => void odd.push(oddity),
    calls: (filter = {}) => recorded.filter((call) => matchesFilter(call, filter)),
    oddities: () => odd,
    forget() {
      recorded = []
      odd = []
    },
  }
}

function matchesFilter(call: RecordedCall, filter: CallFilter): boolean {
  return (
    (filter.route === undefined || matchesRoute(filter.route, call.route)) &&
    (filter.locationId === undefined || call.locationId === filter.locationId) &&
    (filter.status === undefined || call.status === filter.status) &&
    (filter.sinceId === undefined || call.id > filter.sinceId)
  )
}

/** `pattern` is a route, with `*` for any run of characters. */
export function matchesRoute(pattern: string, route: string): boolean {
  const literal = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${literal.join('.*')}$`).test(route)
}

const SECRETS = new Set(['client_secret', 'code', 'refresh_token', 'access_token'])

/** Up to 400 characters of the body as JSON, with secrets left out. */
export function summarised(body: unknown): string {
  if (body === undefined || body === null) return ''
  const text = JSON.stringify(body, (key, value: unknown) => (SECRETS.has(key) ? '(secret)' : value))
  return text.length > 400 ? `${text.slice(0, 400)}...` : text
}
