// node --import test/support/movable-clock.ts: each SIGWINCH puts the process's clock an hour and a minute forward. Timers stay.
const AHEAD_MS = 61 * 60_000
const now = Date.now
let aheadMs = 0
Date.now = () => now() + aheadMs
process.on('SIGWINCH', () => {
  aheadMs += AHEAD_MS
})
