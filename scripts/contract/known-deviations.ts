/**
 * Where the sandbox differs from GHL's OpenAPI files on purpose: the service was seen to behave otherwise than it
 * is published, or the files contradict themselves. `GHL contract` is the project's own study of the API; the
 * number is its section. `*` stands for any run of characters. An entry that no longer occurs fails the check.
 */

interface KnownDeviation {
  readonly what: string
  readonly why: string
}

const inbound = 'POST /conversations/messages/inbound'
const send = 'POST /conversations/messages'
const upload = 'POST /conversations/messages/upload'
const status = 'PUT /conversations/messages/{messageId}/status'
const oneMessage = 'GET /conversations/messages/{id}'
const thread = 'GET /conversations/{conversationId}/messages'
const token = 'POST /oauth/token'
const locationToken = 'POST /oauth/locationToken'

function deviations(why: string, whats: readonly string[]): KnownDeviation[] {
  return whats.map((what) => ({ what, why }))
}

export const knownDeviations: readonly KnownDeviation[] = [
  ...deviations('GHL contract 1: any endpoint refuses a foreign location, wrong fields and a wrong token', [
    '* answer 403: the status is not published',
    '* answer 422: the status is not published',
    'POST /medias/upload-file answer 400: the status is not published',
    'POST /medias/upload-file answer 401: the status is not published',
    'DELETE /medias/{id} answer 404: the status is not published',
  ]),
  ...deviations('GHL contract 8: 429 on excess, on any endpoint', [
    '* answer 429: the status is not published',
  ]),
  ...deviations('GHL contract 6: files above 25 MB are refused', [
    'POST /medias/upload-file answer 413: the status is not published',
  ]),
  ...deviations(
    'GHL contract 1: conversations answer refusals with a code, the status in words and a trace',
    [
      `${inbound} answer 400: /canonicalCode is not published`,
      `${inbound} answer 400: /error is not published`,
      `${inbound} answer 400: /traceId is not published`,
      `${inbound} answer 401: /canonicalCode is not published`,
      `${inbound} answer 401: /traceId is not published`,
      `${send} answer 400: /canonicalCode is not published`,
      `${send} answer 400: /error is not published`,
      `${send} answer 400: /traceId is not published`,
    ],
  ),

  ...deviations('GHL contract 2.1: the page is on the marketplace host, not part of the API', [
    'GET /oauth/chooselocation: the endpoint is not published',
    'GET /v2/oauth/chooselocation: the endpoint is not published',
  ]),
  ...deviations('GHL contract 2.2: refusals in the words of OAuth', [
    `${token} answer 400: /error is not published`,
    `${token} answer 400: /error_description is not published`,
    `${token} answer 401: /error_description is not published`,
  ]),
  ...deviations('GHL contract 2.2: seen in the answer', [
    `${token} answer: /refreshTokenId is not published`,
  ]),
  ...deviations('GHL contract 2.2: version 3 is published in camel case; a switch of the sandbox', [
    `${token} answer: /accessToken is not published`,
    `${token} answer: /expiresIn is not published`,
    `${token} answer: /refreshToken is not published`,
    `${token} answer: /tokenType is not published`,
  ]),
  ...deviations('GHL contract 2.3: announced and described outside of the API files', [
    'POST /oauth/reconnect: the endpoint is not published',
  ]),
  ...deviations('GHL contract 2.4: live it is 201, with more fields; the refresh token is a switch', [
    `${locationToken} answer 201: the status is not published`,
    `${locationToken} answer: /companyId is not published`,
    `${locationToken} answer: /userType is not published`,
    `${locationToken} answer: /traceId is not published`,
    `${locationToken} answer: /refresh_token is not published`,
  ]),

  ...deviations('GHL contract 3.3: live it answers only that it went well', [
    `${status} answer: /conversationId is missing`,
    `${status} answer: /messageId is missing`,
    `${status} answer: /status is missing`,
    `${status} answer: /success is not published`,
    `${status} answer: /traceId is not published`,
  ]),
  ...deviations('GHL contract 3.3: an error with a message alone is taken', [
    `${status} body: /error/code is missing`,
    `${status} body: /error/type is missing`,
  ]),

  ...deviations('GHL contract 4.1: live it is 201', [`${inbound} answer 201: the status is not published`]),
  ...deviations('GHL contract 4.1: one of conversation and contact is enough', [
    `${inbound} body: /contactId is missing`,
    `${inbound} body: /conversationId is missing`,
  ]),
  ...deviations('GHL contract 4.1: without a provider it is taken, answered with nothing, and not stored', [
    `${inbound} body: /conversationProviderId is missing`,
    `${inbound} answer: /conversationId is missing`,
    `${inbound} answer: /message is missing`,
    `${inbound} answer: /messageId is missing`,
    `${inbound} answer: /success is missing`,
  ]),
  ...deviations('GHL contract 4.1: a word, which the files call an object', [
    `${inbound} body: /direction is not of the type object`,
  ]),
  ...deviations('GHL contract 4.3: works without, and answers 201', [
    `${send} answer 201: the status is not published`,
    `${send} body: /status is missing`,
    `${send} body: /subType is missing`,
  ]),
  ...deviations('GHL contract 4.3: internal comments are in the portal only', [
    `${send} body: /type is not one of the published values`,
  ]),
  ...deviations(
    'GHL contract 4.4: the part is named so, the URLs are left out, one of the two ids is enough',
    [
      `${upload} answer 201: the status is not published`,
      `${upload} body: /attachmentUrls is missing`,
      `${upload} body: /contactId is missing`,
      `${upload} body: /conversationId is missing`,
      `${upload} body: /fileAttachment is not published`,
    ],
  ),
  ...deviations('GHL contract 4.4: refusals of a shape of their own, and a 500 for an unknown conversation', [
    `${upload} answer 400: /status is not published`,
    `${upload} answer 500: the status is not published`,
  ]),
  ...deviations('GHL contract 4.5: seen in the messages', [
    'GET /conversations/messages/export answer: /messages/*/altId is not published',
    'GET /conversations/messages/export answer: /messages/*/dateUpdated is not published',
    'GET /conversations/messages/export answer: /messages/*/from is not published',
    `${oneMessage} answer: /altId is not published`,
    `${oneMessage} answer: /dateUpdated is not published`,
    `${oneMessage} answer: /from is not published`,
  ]),
  ...deviations('GHL contract 4.5: sometimes wrapped; a switch of the sandbox', [
    `${oneMessage} answer: /message is not published`,
    `${oneMessage} answer: /traceId is not published`,
    `${oneMessage} answer: /* is missing`,
  ]),
  ...deviations('GHL contract 4.5: nested in the answer, flat in the files', [
    `${thread} answer: /lastMessageId is missing`,
    `${thread} answer: /messages is not of the type array`,
    `${thread} answer: /nextPage is missing`,
  ]),
  ...deviations('GHL contract 4.5: seen in the answer; the date is what startAfterDate goes on from', [
    'GET /conversations/search answer: /conversations/*/lastMessageConversationProviderId is not published',
    'GET /conversations/search answer: /conversations/*/lastMessageDate is not published',
    'GET /conversations/search answer: /conversations/*/lastMessageDirection is not published',
  ]),
  ...deviations('GHL contract 4.5: the refusal names the conversation that is there', [
    'POST /conversations/ answer 400: /conversationId is not published',
  ]),
  ...deviations('GHL contract 4.5: a new conversation has no message yet', [
    'POST /conversations/ answer: /conversation/lastMessageDate is missing',
  ]),

  ...deviations('GHL contract 5: the refusal names the contact that is there', [
    'POST /contacts/ answer 400: /meta is not published',
    'PUT /contacts/{contactId} answer 400: /meta is not published',
  ]),
  ...deviations('GHL contract 5: a contact is looked up by its phone, which the list must show', [
    'GET /contacts/ answer: /contacts/*/phone is not published',
  ]),
  ...deviations('GHL contract 6: published as an array, seen as an object; a switch of the sandbox', [
    'GET /products/ answer: /total is not of the type array',
  ]),
  ...deviations("GHL contract 6: a list separated by commas, as the parameter's own example has it", [
    'GET /voice-ai/dashboard/call-logs query: /actionType is not one of the published values',
  ]),
  ...deviations('GHL contract 6: objects, as the own example of the files has them, not text', [
    'GET /medias/files answer: /files/* is not of the type string',
  ]),
]
