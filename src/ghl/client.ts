/** Calls to GHL in the name of a location. */
import type { LocationId } from '../core/ids.ts'
import { refusalError } from './refusals.ts'
import type { GhlTokens } from './tokens.ts'
import type { Answer, GhlCall, OpenAnswer } from './transport.ts'

export class GhlClient {
  readonly #tokens: GhlTokens

  constructor(tokens: GhlTokens) {
    this.#tokens = tokens
  }

  /**
   * The body of a 2xx answer.
   *
   * @param what the call in words, for the error: `GHL refused to add the message`.
   * @throws {GhlError} any code but `GHL_RESPONSE_INVALID`.
   */
  async request(locationId: LocationId, call: GhlCall, what: string): Promise<unknown> {
    const { body, refusal } = await this.send(locationId, call)
    if (refusal !== undefined) throw refusalError(refusal, what)
    return body
  }

  /** Any answer, refusals included. @throws {GhlError} when there is none, or no token to ask with. */
  async send(locationId: LocationId, call: GhlCall): Promise<Answer> {
    return await this.#tokens.exchange(await this.#tokens.access(locationId), call)
  }

  /** As {@link send}, with a body that is still on its way. */
  async open(locationId: LocationId, call: GhlCall): Promise<OpenAnswer> {
    return await this.#tokens.open(await this.#tokens.access(locationId), call)
  }
}
