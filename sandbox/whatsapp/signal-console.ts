// libsignal prints whole Signal sessions, private keys included, through the global console. This replaces the
// console's methods by ones that leave out exactly those lines and mask Signal sessions anywhere else, so that
// everything a person meant to print still appears.

const LIBSIGNAL_LINES = [
  'Closing session:',
  'Opening session:',
  'Removing old closed session:',
  'Session already closed',
  'Session already open',
  'Closing open session in favor of incoming prekey bundle',
  'Decrypted message with closed session.',
  'Failed to decrypt message with any known session...',
  'Session error:',
  'Migrating session to:',
  'V1 session storage migration error: registrationId',
  'Unhandled bucket type (for naming):',
]

const METHODS = ['debug', 'log', 'info', 'warn', 'error'] as const
const REPLACED = Symbol.for('sandbox.signal-console')

function isSignalSession(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('currentRatchet' in value || '_chains' in value)
}

function isLibsignalLine(first: unknown): boolean {
  return typeof first === 'string' && LIBSIGNAL_LINES.some((line) => first.startsWith(line))
}

/** Call before the first use of libsignal. Calling it again changes nothing. */
export function redactSignalConsole(): void {
  const target: Console & { [REPLACED]?: boolean } = globalThis.console
  if (target[REPLACED]) return
  target[REPLACED] = true
  for (const method of METHODS) {
    const original = target[method].bind(target)
    target[method] = (...values: unknown[]) => {
      if (isLibsignalLine(values[0])) return
      original(...values.map((value) => (isSignalSession(value) ? '[Signal session]' : value)))
    }
  }
}
