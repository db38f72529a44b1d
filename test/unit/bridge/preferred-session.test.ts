import { describe, expect, it } from 'vitest'
import { preferredSession } from '../../../src/bridge/ghl-to-whatsapp.ts'
import type { SessionRow } from '../../../src/bridge/storage/sessions.ts'
import { parseSessionId } from '../../../src/core/ids.ts'
import { session } from './world.ts'

const row = (id: string, more: Partial<SessionRow> = {}): SessionRow =>
  session({ sessionId: parseSessionId(id), isDefault: false, ...more })
const ready = (candidate: SessionRow) => candidate.status === 'ready'

describe('the number an answer leaves by', () => {
  it('is the one the person wrote to last, even while that one is offline', () => {
    const rows = [row('a', { isDefault: true }), row('b', { status: 'disconnected' })]
    expect(preferredSession(rows, [parseSessionId('b')], ready)?.sessionId).toBe('b')
  })

  it('is the one the location has pinned, whatever the person wrote to, and while there is none the next best', () => {
    const rows = [row('a'), row('b'), row('c', { status: 'logged_out' })]
    const wishes = (pinned: string) => [parseSessionId(pinned), parseSessionId('b')]
    expect(preferredSession(rows, wishes('a'), ready)?.sessionId).toBe('a')
    expect(preferredSession(rows, wishes('c'), ready)?.sessionId).toBe('b')
  })

  it('is the default one for a first contact, else the newest that is ready', () => {
    expect(preferredSession([row('a', { isDefault: true }), row('b')], [], ready)?.sessionId).toBe('a')
    const rows = [row('a'), row('b'), row('c', { status: 'disconnected' })]
    expect(preferredSession(rows, [], ready)?.sessionId).toBe('b')
  })

  it('is not one that was logged out while another is paired', () => {
    const rows = [row('a', { status: 'logged_out' }), row('b', { status: 'disconnected' })]
    expect(preferredSession(rows, [parseSessionId('a')], ready)?.sessionId).toBe('b')
  })

  it('is none when the location has none', () => {
    expect(preferredSession([], [], ready)).toBeUndefined()
  })
})
