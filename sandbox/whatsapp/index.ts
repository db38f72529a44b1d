import { startControlApi } from './control.ts'
import { type SandboxOptions, WhatsAppSandbox } from './sandbox.ts'

export type { CallOutcome, OutgoingCall } from './calls.ts'
export { SandboxError, type SandboxErrorCode } from './errors.ts'
export type { Faults, Passage } from './faults.ts'
export type { PastChat, PastMessage } from './past.ts'
export type { Phone } from './phone.ts'
export type { PhoneMessage, PhoneReceipt } from './phone-log.ts'
export type { OutgoingMessage } from './phone-outbox.ts'
export { type NewSandboxGroup, type SandboxGroup, type SandboxStats, WhatsAppSandbox } from './sandbox.ts'

export interface StartOptions extends SandboxOptions {
  readonly controlPort?: number
}

/** Starts the WebSocket server, the media host and the control API, all on 127.0.0.1. */
export async function startWhatsAppSandbox(options: StartOptions = {}): Promise<WhatsAppSandbox> {
  const sandbox = await WhatsAppSandbox.start(options)
  sandbox.attachControl(await startControlApi(sandbox, options.controlPort ?? 0))
  return sandbox
}
