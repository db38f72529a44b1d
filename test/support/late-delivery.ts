import type { Stage } from '../../sandbox/stage.ts'
import { waitFor } from './wait-for.ts'

const LATE_MS = 3 * 60 * 60_000

/** GHL's own delivery of an agent's message, signed by it, three hours after it was written. @returns the GHL message's id. */
export async function deliverLate(
  stage: Stage,
  reply: { readonly locationId: string; readonly contactId: string; readonly message: string },
): Promise<string> {
  stage.ghl.deliveries.hold()
  const { messageId } = stage.ghl.agentReply(reply)
  const post = await waitFor('the delivery', () =>
    stage.ghl.posts().find((each) => each.messageId === messageId && each.target === 'delivery'),
  )
  const timestamp = new Date(Date.now() - LATE_MS).toISOString()
  const body = JSON.stringify({ ...(JSON.parse(post.body) as object), timestamp }) // GHL's own body
  const answer = await fetch(`${stage.bridge.url}/ghl/provider/webhook`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-ghl-signature': stage.ghl.deliveries.sign(body) },
    body,
  })
  if (answer.status !== 200) throw new Error(`the late delivery was answered with ${answer.status}`)
  stage.ghl.deliveries.release()
  return messageId
}

/** The contact that GHL holds under a phone's number. */
export function contactOf(stage: Stage, locationId: string, phone: string): string {
  const contact = stage.ghl.contacts.list(locationId).find(({ text }) => text.phone === `+${phone}`)
  if (contact === undefined) throw new Error('GHL has no such contact')
  return contact.id
}
