import { describe, expect, it } from 'vitest'
import { createAttendance } from '../../../src/bridge/attendance.ts'
import { parseLocationId } from '../../../src/core/ids.ts'
import { createMemoryInstallations } from '../../support/memory-installations.ts'

const A = parseLocationId('a')

/** A location with the app, and what was done about its numbers. */
async function world() {
  const installations = createMemoryInstallations()
  const done: string[] = []
  const state = { answers: Promise.resolve() }
  const attendance = createAttendance({
    installations: {
      removedAmong: (locations) => installations.removedAmong(locations),
      findByLocation: async (location) => {
        await state.answers
        return await installations.findByLocation(location)
      },
    },
    numbers: {
      serve: async (location) => void done.push(`serve ${location}`),
      leave: async (location) => void done.push(`leave ${location}`),
    },
  })
  const install = () =>
    installations.save({
      locationId: A,
      companyId: undefined,
      userType: 'Location',
      scopes: '',
      tokens: { accessToken: 'a', refreshToken: 'r', expiresAt: new Date(Date.now() + 3_600_000) },
    })
  const remove = async () => {
    const { installationId } = await install()
    installations.edit(installationId, { row: { status: 'uninstalled' } })
  }
  await install()
  return { attendance, done, state, install, remove }
}

describe('the numbers of a location', () => {
  it('are served while its lease is held, once', async () => {
    const { attendance, done } = await world()
    await attendance.gain(A)
    await attendance.check(A)
    await attendance.lose(A)
    await attendance.lose(A)
    expect(done).toEqual(['serve a', 'leave a'])
  })

  it('are left when the app is removed, and served when it is back', async () => {
    const { attendance, done, install, remove } = await world()
    await attendance.gain(A)
    await remove()
    await attendance.check(A)
    await attendance.check(A)
    expect(done).toEqual(['serve a', 'leave a'])
    await install()
    await attendance.check(A)
    expect(done).toEqual(['serve a', 'leave a', 'serve a'])
  })

  it('of a location without the app are left alone when its lease comes', async () => {
    const { attendance, done, remove } = await world()
    await remove()
    await attendance.gain(A)
    await attendance.lose(A)
    expect(done).toEqual([])
  })

  it('are not served when the lease has gone while the store answered', async () => {
    const { attendance, done, state } = await world()
    const { promise, resolve } = Promise.withResolvers<void>()
    state.answers = promise
    const gained = attendance.gain(A)
    const lost = attendance.lose(A)
    resolve()
    await Promise.all([gained, lost])
    expect(done).toEqual([])
  })

  it('that no lease is held for are nobody’s business here', async () => {
    const { attendance, done, remove } = await world()
    await attendance.check(A)
    await remove()
    expect(await attendance.overlooked()).toEqual([])
    expect(done).toEqual([])
  })

  it('are found when the word of a removal, or of a return, was lost', async () => {
    const { attendance, done, install, remove } = await world()
    await attendance.gain(A)
    expect(await attendance.overlooked()).toEqual([])
    await remove()
    expect(await attendance.overlooked()).toEqual([A])
    await attendance.check(A)
    expect(await attendance.overlooked()).toEqual([])
    await install()
    expect(await attendance.overlooked()).toEqual([A])
    expect(done).toEqual(['serve a', 'leave a'])
  })

  it('are looked after again when the store could not be asked', async () => {
    const { attendance, done, state } = await world()
    state.answers = Promise.reject(new Error('the store is down'))
    await expect(attendance.gain(A)).rejects.toThrow('the store is down')
    state.answers = Promise.resolve()
    expect(await attendance.overlooked()).toEqual([A])
    await attendance.check(A)
    expect(done).toEqual(['serve a'])
  })
})
