// How a group message reaches the devices of the members: one ciphertext under the sender key for all, and beside it,
// for each device that lacks that key, one of its own which carries it.
import type { BinaryNode } from '@whiskeysockets/baileys'
import { type DeviceAddress, type Directory, deviceJid } from './directory.ts'
import { type Group, participantAttributes } from './groups.ts'
import { child, children, stanza, unixSeconds } from './stanzas.ts'

export interface Delivery {
  readonly address: DeviceAddress
  readonly node: BinaryNode
}

function sameDevice(one: DeviceAddress, other: DeviceAddress | undefined): boolean {
  return one.account === other?.account && one.deviceId === other.deviceId
}

function memberDevices(group: Group): DeviceAddress[] {
  return [...group.members].flatMap((account) =>
    [...account.devices.keys()].map((deviceId) => ({ account, deviceId })),
  )
}

/** A message with `participant` is a resend to that device alone; else it goes to every other device of a member. */
export function groupDeliveries(
  directory: Directory,
  group: Group,
  sender: DeviceAddress,
  node: BinaryNode,
): Delivery[] {
  const shared = children(node, 'enc')
  const { participant } = node.attrs
  if (participant !== undefined) {
    const address = directory.findDevice(participant)
    return address ? [{ address, node: groupEnvelope(group, sender, node, shared) }] : []
  }
  const own = children(child(node, 'participants'), 'to').map((to) => ({
    address: directory.findDevice(to.attrs['jid'] ?? ''),
    parts: children(to),
  }))
  return memberDevices(group)
    .filter((address) => !sameDevice(address, sender))
    .map((address) => {
      const parts = own.find((each) => sameDevice(address, each.address))?.parts ?? []
      const withheld = parts.some(({ tag }) => tag === 'unavailable')
      return { address, node: groupEnvelope(group, sender, node, withheld ? parts : [...parts, ...shared]) }
    })
}

function groupEnvelope(
  group: Group,
  sender: DeviceAddress,
  node: BinaryNode,
  parts: BinaryNode[],
): BinaryNode {
  const { id, type, edit } = node.attrs
  const identity = parts.some(({ attrs }) => attrs['type'] === 'pkmsg')
    ? children(node, 'device-identity')
    : []
  return stanza(
    'message',
    {
      id,
      from: group.jid,
      type,
      edit,
      t: unixSeconds(),
      notify: sender.account.name,
      ...participantAttributes(group, deviceJid(sender, group.addressing), sender.account),
    },
    [...parts, ...identity],
  )
}
