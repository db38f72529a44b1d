/** What businesses and shops send: menus and their answers, products, orders, payments, invitations. */
import type { proto, WAMessage } from '@whiskeysockets/baileys'
import { gist } from '../bridge/readable.ts'
import { lines } from '../bridge/sentences.ts'
import {
  type Content,
  jsonOf,
  lineOf,
  linesOf,
  listOf,
  notice,
  numberOf,
  positiveOf,
  textOf,
} from './content.ts'
import { mediaOf } from './from-whatsapp-media.ts'

type Key = WAMessage['key']
type Convert = (message: proto.IMessage) => Content

/** A message with buttons or rows to choose from: its words, then the choices. */
interface Menu {
  readonly waKind: string
  readonly header?: Header | null | undefined
  readonly words: readonly unknown[]
  readonly choices: readonly unknown[]
}

/** A picture, a film or a document may stand above the words. */
interface Header {
  readonly imageMessage?: proto.Message.IImageMessage | null
  readonly videoMessage?: proto.Message.IVideoMessage | null
  readonly documentMessage?: proto.Message.IDocumentMessage | null
  readonly locationMessage?: proto.Message.ILocationMessage | null
  readonly productMessage?: proto.Message.IProductMessage | null
}

export function fromMenu(message: proto.IMessage, key: Key): Content {
  const { buttonsMessage, listMessage, templateMessage, interactiveMessage, highlyStructuredMessage } =
    message
  if (buttonsMessage) return menu(buttonsMenu(buttonsMessage), key)
  if (listMessage) return menu(listMenu(listMessage), key)
  if (templateMessage) return menu(templateMenu(templateMessage), key)
  if (interactiveMessage) return menu(interactiveMenu(interactiveMessage), key)
  const { hydratedHsm, elementName, params } = highlyStructuredMessage ?? {}
  if (hydratedHsm) return menu(templateMenu(hydratedHsm), key)
  return menu(
    { waKind: 'highlyStructuredMessage', words: [elementName, ...listOf(params)], choices: [] },
    key,
  )
}

function buttonsMenu(message: proto.Message.IButtonsMessage): Menu {
  return {
    waKind: 'buttonsMessage',
    header: message,
    words: [message.text, message.contentText, message.footerText],
    choices: listOf(message.buttons).map(({ buttonText }) => buttonText?.displayText),
  }
}

function listMenu(message: proto.Message.IListMessage): Menu {
  const rows = listOf(message.sections).flatMap(({ rows: each }) => listOf(each))
  return {
    waKind: 'listMessage',
    words: [message.title, message.description, message.footerText],
    choices: rows.map(({ title, description }) => joined(title, description)),
  }
}

function templateMenu(template: proto.Message.ITemplateMessage): Menu {
  const hydrated = template.hydratedTemplate ?? template.hydratedFourRowTemplate
  const waKind = 'templateMessage'
  if (hydrated) {
    const choices = listOf(hydrated.hydratedButtons).map(({ quickReplyButton, urlButton, callButton }) =>
      joined(
        quickReplyButton?.displayText ?? urlButton?.displayText ?? callButton?.displayText,
        urlButton?.url ?? callButton?.phoneNumber,
      ),
    )
    const words = [hydrated.hydratedTitleText, hydrated.hydratedContentText, hydrated.hydratedFooterText]
    return { waKind, header: hydrated, words, choices }
  }
  if (template.interactiveMessageTemplate)
    return { ...interactiveMenu(template.interactiveMessageTemplate), waKind }
  const { content, footer } = template.fourRowTemplate ?? {}
  const words = [content, footer].flatMap((part) => [part?.elementName, ...listOf(part?.params)])
  return { waKind, header: template.fourRowTemplate, words, choices: [] }
}

/** Cards of one carousel beyond these are not listed. */
const MAX_CARDS = 10

function interactiveMenu(message: proto.Message.IInteractiveMessage): Menu {
  const { header, body, footer, nativeFlowMessage, carouselMessage } = message
  const buttons = listOf(nativeFlowMessage?.buttons).map(({ buttonParamsJson }) => {
    const { display_text: label, url, phone_number: phone } = jsonOf(buttonParamsJson)
    return joined(label, url ?? phone)
  })
  const cards = listOf(carouselMessage?.cards)
    .slice(0, MAX_CARDS)
    .map((card) => linesOf(card.header?.title, card.body?.text))
  return {
    waKind: 'interactiveMessage',
    header,
    words: [header?.title, header?.subtitle, body?.text, footer?.text, ...cards],
    choices: buttons,
  }
}

const joined = (label: unknown, detail: unknown): string | undefined =>
  [lineOf(label), lineOf(detail)].filter((part) => part !== undefined).join(': ') || undefined

function menu({ waKind, header, words, choices }: Menu, key: Key): Content {
  const options = choices
    .filter((choice) => lineOf(choice) !== undefined)
    .map((choice) => `• ${lineOf(choice)}`)
  const text = linesOf(...words, ...options)
  const file = headerFile(header, text, key)
  if (file !== undefined) return file
  return notice(waKind, text === '' ? lines.other('a message with buttons') : text)
}

function headerFile(header: Header | null | undefined, caption: string, key: Key): Content | undefined {
  const { imageMessage, videoMessage, documentMessage, productMessage } = header ?? {}
  if (imageMessage) return mediaOf('image', { ...imageMessage, caption }, key)
  if (videoMessage) return mediaOf('video', { ...videoMessage, caption }, key)
  if (documentMessage) return mediaOf('document', { ...documentMessage, caption }, key)
  const image = productMessage?.product?.productImage
  return image ? mediaOf('image', { ...image, caption }, key) : undefined
}

/** The words that were chosen, not the id behind them. */
export function fromChoice(message: proto.IMessage): Content {
  const {
    buttonsResponseMessage,
    listResponseMessage,
    templateButtonReplyMessage,
    interactiveResponseMessage,
  } = message
  if (buttonsResponseMessage)
    return choice(buttonsResponseMessage.selectedDisplayText ?? buttonsResponseMessage.selectedButtonId)
  if (listResponseMessage) {
    const { title, singleSelectReply, description } = listResponseMessage
    return choice(lineOf(title) ?? singleSelectReply?.selectedRowId, description)
  }
  if (templateButtonReplyMessage)
    return choice(templateButtonReplyMessage.selectedDisplayText ?? templateButtonReplyMessage.selectedId)
  const { body, nativeFlowResponseMessage } = interactiveResponseMessage ?? {}
  return choice(lineOf(body?.text) ?? answersOf(nativeFlowResponseMessage?.paramsJson))
}

function choice(chosen: unknown, details?: unknown): Content {
  const text = lineOf(chosen)
  if (text === undefined) return notice('choice', lines.other('an answer to buttons'))
  const description = textOf(details)
  return { kind: 'choice', text, ...(description !== undefined && { description }) }
}

/** A form's answers, without its bookkeeping. */
function answersOf(paramsJson: unknown): string | undefined {
  const answers = Object.entries(jsonOf(paramsJson)).filter(
    ([name, value]) => name !== 'flow_token' && ['string', 'number', 'boolean'].includes(typeof value),
  )
  return answers.map(([name, value]) => `${name}: ${String(value)}`).join(', ') || undefined
}

export function fromProduct(message: proto.Message.IProductMessage | null | undefined, key: Key): Content {
  const { product, catalog, body, footer } = message ?? {}
  const price = priceOf(product?.salePriceAmount1000 ?? product?.priceAmount1000, product?.currencyCode)
  const title = product ? lines.did('Product') : lines.did('Catalogue')
  const text = linesOf(
    title,
    product?.title ?? catalog?.title,
    price,
    product?.description ?? catalog?.description,
    product?.url,
    body,
    footer,
  )
  const image = product?.productImage ?? catalog?.catalogImage
  return image?.mediaKey?.length
    ? mediaOf('image', { ...image, caption: text }, key)
    : notice('productMessage', text)
}

export function fromOrder(order: proto.Message.IOrderMessage | null | undefined): Content {
  const count = positiveOf(order?.itemCount)
  const items = count === undefined ? undefined : `${count} ${count === 1 ? 'item' : 'items'}`
  const total = priceOf(order?.totalAmount1000, order?.totalCurrencyCode)
  const number = lineOf(order?.orderId)
  return notice(
    'orderMessage',
    linesOf(
      lines.did(number === undefined ? 'Order' : `Order ${number}`),
      order?.orderTitle,
      [items, total].filter(Boolean).join(', '),
      order?.message,
      lines.did('The items can be seen on the phone.'),
    ),
  )
}

type PaymentField =
  | 'invoiceMessage'
  | 'sendPaymentMessage'
  | 'requestPaymentMessage'
  | 'declinePaymentRequestMessage'
  | 'cancelPaymentRequestMessage'
  | 'paymentInviteMessage'

export function fromPayment(field: PaymentField, message: proto.IMessage, convert: Convert): Content {
  switch (field) {
    case 'invoiceMessage':
      return notice(field, linesOf(lines.other('an invoice'), message.invoiceMessage?.note))
    case 'sendPaymentMessage':
      return notice(
        field,
        linesOf(lines.other('a payment'), noteOf(message.sendPaymentMessage?.noteMessage, convert)),
      )
    case 'requestPaymentMessage': {
      const request = message.requestPaymentMessage
      const price = priceOf(request?.amount1000, request?.currencyCodeIso4217)
      const what = price === undefined ? 'Asks for a payment.' : `Asks for a payment of ${price}.`
      return notice(field, linesOf(lines.did(what), noteOf(request?.noteMessage, convert)))
    }
    case 'declinePaymentRequestMessage':
      return notice(field, lines.did('Declined the payment request.'))
    case 'cancelPaymentRequestMessage':
      return notice(field, lines.did('Canceled the payment request.'))
    case 'paymentInviteMessage':
      return notice(field, lines.other('an invitation to WhatsApp payments'))
  }
}

function noteOf(note: proto.IMessage | null | undefined, convert: Convert): string | undefined {
  const content = note ? convert(note) : undefined
  if (content === undefined || 'ignored' in content) return undefined
  return content.kind === 'text' ? content.text : gist(content)
}

export function fromInvite(
  field: 'groupInviteMessage' | 'newsletterAdminInviteMessage' | 'newsletterFollowerInviteMessageV2',
  message: proto.IMessage,
): Content {
  if (field === 'groupInviteMessage') {
    const { groupName, inviteCode, caption } = message.groupInviteMessage ?? {}
    const code = lineOf(inviteCode)
    const link = code !== undefined && /^[\w-]+$/.test(code) ? `https://chat.whatsapp.com/${code}` : undefined
    return notice(field, linesOf(lines.did('Invitation to a group'), groupName, caption, link))
  }
  const { newsletterName, caption } = message[field] ?? {}
  return notice(field, linesOf(lines.did('Invitation to a channel'), newsletterName, caption))
}

/** WhatsApp counts thousandths: `EUR 12.50`. */
function priceOf(amount1000: unknown, currency: unknown): string | undefined {
  const amount = numberOf(amount1000)
  if (amount === undefined || amount <= 0) return undefined
  return [lineOf(currency), (amount / 1_000).toFixed(2)].filter(Boolean).join(' ')
}
