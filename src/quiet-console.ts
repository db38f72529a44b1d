/**
 * Silences the console, as a side effect of being imported: libsignal prints private ratchet keys with console.info
 * (whatsapp.md 1c). Import it before anything that loads Baileys. Our own output goes through pino.
 */
for (const method of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const) {
  console[method] = () => undefined
}
