/** GHL for sibling backends: what the bridge lends them of its tokens, its limiter and its patience. */
import type { LocationId } from '../core/ids.ts'

/** One request of a sibling backend, as it came. */
export interface ProxyRequest {
  readonly locationId: LocationId
  readonly method: string
  /** What stands behind `/proxy`, undecoded, query included: `/contacts/abc?limit=1`. */
  readonly pathAndQuery: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Undefined for none. Read to its end whatever GHL says, and never destroyed: who sends it waits for the answer. */
  readonly body: NodeJS.ReadableStream | undefined
  /** Fires when the caller has gone. */
  readonly signal: AbortSignal
}

/** GHL's answer, headers that are ours or the connection's left out. `body` must be read or destroyed. */
export interface ProxyAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: NodeJS.ReadableStream
}

export interface GhlGateway {
  /**
   * The scopes of which a request needs one.
   *
   * @throws {RequestError} `REQUEST_INVALID` for a path that is none, `PATH_NOT_ALLOWED` for one that is not on the list,
   * `FORBIDDEN` for one that names another location.
   */
  scopesOf(request: Pick<ProxyRequest, 'locationId' | 'method' | 'pathAndQuery'>): readonly ProxyScope[]
  /**
   * Passes it on and resolves with GHL's answer, whatever that is. Repeats only what can be repeated without harm.
   *
   * @throws {RequestError} as {@link scopesOf}; `FORBIDDEN` also for a body that names another location. @throws {GhlError} when there is no answer, or no token to ask with.
   */
  pass(request: ProxyRequest): Promise<ProxyAnswer>
}

export type ProxyScope = 'proxy:read' | 'proxy:write' | 'media'

/** A token for a sibling backend. */
export interface LentToken {
  readonly accessToken: string
  readonly installationId: string
  readonly locationId: LocationId | undefined
}

export interface NewProduct {
  readonly locationId: LocationId
  readonly name: string
  readonly description?: string
  readonly productType: 'DIGITAL' | 'PHYSICAL' | 'SERVICE' | 'PHYSICAL/DIGITAL'
  /** In units of the currency, not in cents. */
  readonly price?: number
  /** ISO 4217; needed with a price. */
  readonly currency?: string
  readonly availableInStore?: boolean
}

/** GHL's words for a refusal, and what to do. */
export interface ProductRefusal {
  /** GHL's own; undefined when it did not answer. */
  readonly status: number | undefined
  readonly code: string
  readonly message: string
  readonly action: string
  /** Earliest sensible repeat, where GHL or our own limit named one. */
  readonly retryAfterMs: number | undefined
}

/** What became of it. Safe to repeat: what exists under the same name, with the same price, is not made again. */
export interface ProductOutcome {
  readonly productId: string | undefined
  readonly wasKnown: boolean
  /** `none`: no price was asked for. */
  readonly price: 'made' | 'known' | 'refused' | 'none'
  readonly refusal: ProductRefusal | undefined
  /** GHL's own answers. */
  readonly ghl: { readonly product?: unknown; readonly price?: unknown }
}

export interface GhlProducts {
  /** @throws {GhlError} when GHL does not answer over the product; over the price it is the outcome's refusal. */
  create(product: NewProduct): Promise<ProductOutcome>
}
