/** Which phone may be linked: a number keeps to its phone, and a phone is linked once per location. */
import type { AuthenticationCreds } from '@whiskeysockets/baileys'
import type { SessionRow } from '../bridge/storage/sessions.ts'
import type { SessionProblem } from '../core/message.ts'
import { samePhone } from '../core/phone.ts'
import { alreadyHere, wrongNumber } from './disconnect.ts'
import { phoneOf } from './stanza.ts'

type Credentials = Pick<AuthenticationCreds, 'me'>

export class Guard {
  readonly #row: () => SessionRow
  readonly #siblings: () => Iterable<Guard>
  /** E.164: the phone that is linked. */
  #phone: string | undefined
  /** Nobody has logged in with what was linked last: until then it can be refused for being here already. */
  #isNew: boolean

  /**
   * @param row the number as it is stored now.
   * @param siblings those of all numbers of the location, this one among them.
   */
  constructor(row: () => SessionRow, siblings: () => Iterable<Guard>) {
    const { status, phoneNumber, problem } = row()
    // Both ends of a link: what WhatsApp has locked never comes back to it.
    const isLinked = status !== 'logged_out' && problem?.code !== 'ACCOUNT_LOCKED'
    this.#row = row
    this.#siblings = siblings
    this.#phone = isLinked ? phoneNumber : undefined
    this.#isNew = phoneNumber === undefined
  }

  /** Linked anew. */
  paired(): void {
    this.#isNew = true
  }

  /** A login begins, or a scan is waited for. From here on a phone counts as linked to this number, and to no other. */
  begin(credentials: Credentials): void {
    const isRight = this.refusal(credentials) === undefined
    this.#phone = isRight ? phoneOf(credentials.me?.id) : undefined
  }

  /** Logged in, and right. */
  letIn(): void {
    this.#isNew = false
  }

  /** The link is gone. */
  forget(): void {
    this.#phone = undefined
  }

  /** Why the phone of these credentials may not stay; `undefined` when it may, and while none is linked. */
  refusal({ me }: Credentials): SessionProblem | undefined {
    if (me === undefined) return undefined
    const { expectedPhone, phoneNumber } = this.#row()
    const phone = phoneOf(me.id) ?? ''
    const right = expectedPhone ?? phoneNumber
    if (right !== undefined && !samePhone(phone, right)) return wrongNumber(phone)
    const twin = this.#isNew ? this.#twin(phone) : undefined
    return twin && alreadyHere(phone, twin.#row().name)
  }

  #twin(phone: string): Guard | undefined {
    for (const sibling of this.#siblings())
      if (sibling !== this && sibling.#phone !== undefined && samePhone(sibling.#phone, phone)) return sibling
    return undefined
  }
}
