// A sandbox with a business, some customers and Baileys companions, for tests of the sandbox.
import type { UserFacingSocketConfig } from '@whiskeysockets/baileys'
import { expect } from 'vitest'
import { installSandboxRedirects } from '../../sandbox/redirects.ts'
import { type Passage, startWhatsAppSandbox, type WhatsAppSandbox } from '../../sandbox/whatsapp/index.ts'
import { Companion } from './whatsapp-companion.ts'

export const BUSINESS = '15551230001'
export const CUSTOMER = '15551230002'
export const FRIEND = '15551230003'

export class SandboxWorld {
  readonly sandbox: WhatsAppSandbox
  readonly #companions: Companion[] = []
  /** Stanzas that are lost on their way. */
  lose: (passage: Passage) => boolean

  private constructor(sandbox: WhatsAppSandbox) {
    this.sandbox = sandbox
    this.lose = () => false
  }

  static async begin(): Promise<SandboxWorld> {
    const holder: { world?: SandboxWorld } = {}
    const sandbox = await startWhatsAppSandbox({
      faults: {
        pass: (passage, forward) => {
          if (!holder.world?.lose(passage)) forward(passage.stanza)
        },
      },
    })
    installSandboxRedirects(sandbox)
    sandbox.addAccount({ phone: BUSINESS, name: 'Acme Garden Centre' })
    sandbox.addAccount({ phone: CUSTOMER, name: 'Casey Customer' })
    sandbox.addAccount({ phone: FRIEND, name: 'Fran Friend' })
    holder.world = new SandboxWorld(sandbox)
    return holder.world
  }

  /** Every companion has answered all it got, and nothing was unknown. */
  async end(expectedUnknown: Record<string, number> = {}): Promise<void> {
    await this.#settled()
    expect(this.sandbox.stats().unknownStanzas).toEqual(expectedUnknown)
    for (const companion of this.#companions) await companion.close()
    await this.sandbox.stop()
  }

  newCompanion(overrides: Partial<UserFacingSocketConfig> = {}): Companion {
    const companion = new Companion(this.sandbox.webSocketUrl, overrides)
    this.#companions.push(companion)
    return companion
  }

  /** A companion on its first connection after the QR. */
  async linked(phone = BUSINESS, overrides: Partial<UserFacingSocketConfig> = {}): Promise<Companion> {
    const companion = this.newCompanion(overrides)
    await this.sandbox.scan(phone, await companion.showQr())
    await companion.until('the restart', () => companion.closes.at(-1))
    await companion.login()
    return companion
  }

  async paired(phone = BUSINESS): Promise<Companion> {
    const companion = await this.linked(phone)
    await companion.until('the history', () => companion.auth.creds.accountSyncCounter || undefined)
    // On its first connection Baileys may hold events back for 30 s; from the second on it does not.
    await companion.close()
    await companion.login()
    return companion
  }

  /** The LID of an account, as a JID. */
  lid(phone: string): string {
    return `${this.sandbox.phone(phone).account.lidUser}@lid`
  }

  async #settled(): Promise<void> {
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; ) {
      if (this.sandbox.stats().companions.every(({ connected, waiting }) => !connected || waiting === 0))
        return
      await new Promise((resolve) => setImmediate(resolve))
    }
    throw new Error('a connected companion left stanzas unanswered')
  }
}
