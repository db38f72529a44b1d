/** Generated from the OpenAPI document (npm run docs); do not edit. */

export interface paths {
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process lives */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            status: "ok";
                        };
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the store answers; numbers that are not ready are named, not failed for */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The store answers */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            status: "ready";
                            store?: string;
                            sessions: {
                                total?: number;
                                notReady?: Record<string, never>[];
                            };
                        };
                    };
                };
                /** @description It does not */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            status?: "unavailable";
                            store?: string;
                        };
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ghl/provider/webhook": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** GHL’s delivery of an agent’s message, signed */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        locationId: string;
                        contactId: string;
                        messageId: string;
                        type?: string;
                        phone?: string;
                        message?: string;
                        attachments?: string[];
                        conversationProviderId?: string;
                    };
                };
            };
            responses: {
                /** @description Committed, or ignored for the reason that is named */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            accepted: string;
                        } | {
                            ignored: string;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ghl/webhook": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** GHL’s app events, signed: INSTALL, UNINSTALL, UPDATE, contacts, read state */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        type: string;
                        webhookId?: string;
                        locationId?: string;
                        companyId?: string;
                        appId?: string;
                    };
                };
            };
            responses: {
                /** @description Committed, or ignored for the reason that is named */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            accepted: string;
                        } | {
                            ignored: string;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sso": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** GHL’s word for who opened the page, against a token of 15 minutes */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        payload: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            token: string;
                            expiresAt: string;
                            locationId: string;
                            /** @enum {string} */
                            role: "admin" | "user";
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/install": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Begin an installation: redirects to GHL with a state that works once */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description GHL’s page for choosing a location */
                302: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where GHL sends people back with a code */
        get: {
            parameters: {
                query?: {
                    code?: string;
                    state?: string;
                    error?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Installed */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/html": string;
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ghl/install": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Begin an installation: redirects to GHL with a state that works once */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description GHL’s page for choosing a location */
                302: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ghl/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where GHL sends people back with a code */
        get: {
            parameters: {
                query?: {
                    code?: string;
                    state?: string;
                    error?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Installed */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/html": string;
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pair/{token}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Stream of one number’s pairing, for the holder of its link */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    token: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Events named session */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pair/{token}/restart": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A new QR or code, for the holder of the link */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    token: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        phoneNumber?: string;
                    } | null;
                };
            };
            responses: {
                /** @description Default Response */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            status: "initializing" | "qr" | "pairing" | "connecting" | "ready" | "disconnected" | "logged_out" | "replaced" | "restricted" | "banned" | "outdated";
                            phoneNumber: string | null;
                            expectedPhone: string | null;
                            qr: string | null;
                            pairingCode: string | null;
                            expiresAt: string | null;
                            /** @description How long the QR or the code can be used from now on: for a reader whose clock is wrong */
                            expiresInMs: number | null;
                            /** @description When it connects again by itself */
                            nextAttemptAt: string | null;
                            problem: {
                                code: string;
                                message: string;
                                action: string;
                                /** @description When WhatsApp said that it ends by itself */
                                until: string | null;
                                /** @description What was paired instead of the right number */
                                scannedPhone: string | null;
                                /** @description The name of the number as which that phone is connected here already */
                                connectedAs: string | null;
                            } | null;
                            linkExpiresAt: string;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/console/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The operator’s key against the console’s token */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        apiKey: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            token: string;
                            expiresAt: string;
                            /** @description From the receipt, for callers whose clock is wrong */
                            expiresInMs: number;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{token}/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A file that GHL did not take */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    token: string;
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Its bytes */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/octet-stream": string;
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ghl/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Installations and the health of their tokens; no token is shown
         * @description For the operator.
         */
        get: {
            parameters: {
                query?: {
                    health?: "healthy" | "expiring" | "expired" | "pending" | "needs_reconnect" | "uninstalled" | "deactivated";
                    /** @description `Company`: the agencies’ own */
                    userType?: "Location" | "Company";
                    search?: string;
                    limit?: number;
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            counts: {
                                [key: string]: number;
                            };
                            installations: {
                                installationId: string;
                                locationId: string | null;
                                companyId: string | null;
                                name: string | null;
                                /** @enum {string} */
                                userType: "Location" | "Company";
                                /** @enum {string} */
                                status: "pending" | "active" | "needs_reconnect" | "uninstalled" | "deactivated";
                                /** @enum {string} */
                                health: "healthy" | "expiring" | "expired" | "pending" | "needs_reconnect" | "uninstalled" | "deactivated";
                                scopes: string[];
                                isBulk: boolean;
                                versionId: string | null;
                                /** @description null while there is no token */
                                expiresAt: string | null;
                                refreshedAt: string | null;
                                checkedAt: string | null;
                                installedAt: string;
                                problem: {
                                    code: string;
                                    message: string;
                                    action: string | null;
                                } | null;
                                deactivated: boolean;
                                /** @description Where a person connects it again; null while nothing is wrong */
                                reconnectUrl: string | null;
                            }[];
                            total: number;
                            nextCursor: string | null;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ghl/tokens/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Renew what is due, or all by force; a dry run changes nothing
         * @description For the operator.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        force?: boolean;
                        dryRun?: boolean;
                    } | null;
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            considered: number;
                            refreshed: number;
                            failed: number;
                            /** @description those for which nothing was tried, for only a person can connect them; not failed */
                            needsReconnect: number;
                            /** @description Those that are tried, or would be without a dry run; the results hold a thousand at most */
                            due: number;
                            results: {
                                installationId: string;
                                locationId: string | null;
                                /** @enum {string} */
                                outcome: "refreshed" | "would_refresh" | "failed" | "needs_reconnect";
                                code: string | null;
                                message: string | null;
                            }[];
                        };
                    };
                };
                /** @description Default Response */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {boolean} */
                            running: true;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ghl/tokens/{installationId}/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Renew one installation’s tokens
         * @description For the operator.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    installationId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            installationId: string;
                            locationId: string | null;
                            companyId: string | null;
                            name: string | null;
                            /** @enum {string} */
                            userType: "Location" | "Company";
                            /** @enum {string} */
                            status: "pending" | "active" | "needs_reconnect" | "uninstalled" | "deactivated";
                            /** @enum {string} */
                            health: "healthy" | "expiring" | "expired" | "pending" | "needs_reconnect" | "uninstalled" | "deactivated";
                            scopes: string[];
                            isBulk: boolean;
                            versionId: string | null;
                            /** @description null while there is no token */
                            expiresAt: string | null;
                            refreshedAt: string | null;
                            checkedAt: string | null;
                            installedAt: string;
                            problem: {
                                code: string;
                                message: string;
                                action: string | null;
                            } | null;
                            deactivated: boolean;
                            /** @description Where a person connects it again; null while nothing is wrong */
                            reconnectUrl: string | null;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ghl/tokens/{installationId}/deactivate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Switch an installation off: its numbers stop, its messages wait, GHL is not called
         * @description For the operator.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    installationId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            installationId: string;
                            locationId: string | null;
                            companyId: string | null;
                            name: string | null;
                            /** @enum {string} */
                            userType: "Location" | "Company";
                            /** @enum {string} */
                            status: "pending" | "active" | "needs_reconnect" | "uninstalled" | "deactivated";
                            /** @enum {string} */
                            health: "healthy" | "expiring" | "expired" | "pending" | "needs_reconnect" | "uninstalled" | "deactivated";
                            scopes: string[];
                            isBulk: boolean;
                            versionId: string | null;
                            /** @description null while there is no token */
                            expiresAt: string | null;
                            refreshedAt: string | null;
                            checkedAt: string | null;
                            installedAt: string;
                            problem: {
                                code: string;
                                message: string;
                                action: string | null;
                            } | null;
                            deactivated: boolean;
                            /** @description Where a person connects it again; null while nothing is wrong */
                            reconnectUrl: string | null;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ghl/tokens/{installationId}/activate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Switch it on again
         * @description For the operator.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    installationId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            installationId: string;
                            locationId: string | null;
                            companyId: string | null;
                            name: string | null;
                            /** @enum {string} */
                            userType: "Location" | "Company";
                            /** @enum {string} */
                            status: "pending" | "active" | "needs_reconnect" | "uninstalled" | "deactivated";
                            /** @enum {string} */
                            health: "healthy" | "expiring" | "expired" | "pending" | "needs_reconnect" | "uninstalled" | "deactivated";
                            scopes: string[];
                            isBulk: boolean;
                            versionId: string | null;
                            /** @description null while there is no token */
                            expiresAt: string | null;
                            refreshedAt: string | null;
                            checkedAt: string | null;
                            installedAt: string;
                            problem: {
                                code: string;
                                message: string;
                                action: string | null;
                            } | null;
                            deactivated: boolean;
                            /** @description Where a person connects it again; null while nothing is wrong */
                            reconnectUrl: string | null;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/ghl/sync-all-subaccounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reconcile installations with what GHL knows
         * @description For the operator.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            agencies: string[];
                            syncs: {
                                kind: string;
                                /** @description A location, an agency, or a word of the work itself */
                                scope: string;
                                /** @description Of that location or agency */
                                name: string | null;
                                /** @enum {string} */
                                state: "running" | "interrupted" | "failed" | "done";
                                total: number | null;
                                done: number;
                                failed: number;
                                /** @description What cannot be taken, whoever tries: neither done nor failed */
                                skipped: number;
                                message: string | null;
                                startedAt: string;
                                finishedAt: string | null;
                            }[];
                        };
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sync/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How far long work is, and how it ended; latest first
         * @description For the operator, a page of the location, a service key with the scope sync.
         */
        get: {
            parameters: {
                query?: {
                    kind?: string;
                    scope?: string;
                    locationId?: string;
                    state?: "running" | "interrupted" | "failed" | "done";
                    limit?: number;
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            syncs: {
                                kind: string;
                                /** @description A location, an agency, or a word of the work itself */
                                scope: string;
                                /** @description Of that location or agency */
                                name: string | null;
                                /** @enum {string} */
                                state: "running" | "interrupted" | "failed" | "done";
                                total: number | null;
                                done: number;
                                failed: number;
                                /** @description What cannot be taken, whoever tries: neither done nor failed */
                                skipped: number;
                                message: string | null;
                                startedAt: string;
                                finishedAt: string | null;
                            }[];
                            total: number;
                            nextCursor: string | null;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sync/kinds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How many runs of each kind of long work are in which state
         * @description For the operator.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            kinds: {
                                kind: string;
                                running: number;
                                interrupted: number;
                                failed: number;
                                done: number;
                                latestAt: string;
                            }[];
                        };
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ghl/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * GHL’s app events and what became of each
         * @description For the operator.
         */
        get: {
            parameters: {
                query?: {
                    state?: "received" | "processed" | "ignored" | "failed";
                    type?: string;
                    locationId?: string;
                    before?: string;
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            events: {
                                webhookId: string;
                                type: string;
                                locationId: string | null;
                                companyId: string | null;
                                /** @enum {string} */
                                state: "received" | "processed" | "ignored" | "failed";
                                reason: string | null;
                                attempts: number;
                                receivedAt: string;
                                settledAt: string | null;
                            }[];
                            nextBefore: string | null;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/integrations/ghl/auth-url": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A fresh install link
         * @description For the operator.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            url: string;
                            expiresAt: string;
                        };
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/integrations/ghl/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What is configured, and the state of the tokens
         * @description For the operator.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            configured: boolean;
                            missing: string[];
                            /** @description some installation has one that works by its date */
                            hasAccessToken: boolean;
                            /** @description some installation can renew its own; those of an agency’s locations are minted instead */
                            hasRefreshToken: boolean;
                            valid: boolean;
                            /** @enum {string} */
                            authStatus: "ok" | "degraded" | "not_connected";
                            autoRefresh: boolean;
                            installations: {
                                [key: string]: number;
                            };
                            latencyMs: {
                                store: number;
                                ghl: number | null;
                            };
                        };
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/integrations/ghl/test-integration": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Each step towards GHL tried, with its time
         * @description For the operator.
         */
        get: {
            parameters: {
                query?: {
                    locationId?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            ok: boolean;
                            locationId: string | null;
                            totalMs: number;
                            steps: {
                                name: string;
                                /** @enum {string} */
                                state: "ok" | "bad" | "wait";
                                ok: boolean;
                                ms: number;
                                /** @description When GHL was last seen to accept or refuse it */
                                at: string | null;
                                code: string | null;
                                message: string | null;
                                action: string | null;
                            }[];
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ghl/locations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Locations with the health of their tokens and their numbers
         * @description For the operator, a page of the location, a service key with the scope locations:read.
         */
        get: {
            parameters: {
                query?: {
                    search?: string;
                    health?: "healthy" | "expiring" | "expired" | "pending" | "needs_reconnect" | "uninstalled" | "deactivated";
                    /** @description By what cures the worst of its numbers: `person` at WhatsApp, a `scan`, or nothing as it is `reconnecting`; `trouble` is all three */
                    numbers?: "ready" | "reconnecting" | "scan" | "person" | "none" | "trouble";
                    /** @description `trouble`: what needs somebody stands first */
                    order?: "name" | "trouble";
                    companyId?: string;
                    locationId?: string;
                    limit?: number;
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            locations: {
                                locationId: string;
                                name: string | null;
                                /** @description IANA name; null until GHL has said it */
                                timeZone: string | null;
                                companyId: string | null;
                                companyName: string | null;
                                installationId: string;
                                /** @enum {string} */
                                status: "connected" | "not_connected" | "uninstalled";
                                /** @enum {string} */
                                tokenHealth: "healthy" | "expiring" | "expired" | "pending" | "needs_reconnect" | "uninstalled" | "deactivated";
                                tokenExpiresAt: string;
                                versionId: string | null;
                                installedAt: string;
                                problem: {
                                    code: string;
                                    message: string;
                                    action: string | null;
                                } | null;
                                deactivated: boolean;
                                reconnectUrl: string | null;
                                dead: number;
                                held: number;
                                sessions: {
                                    id: string;
                                    locationId: string;
                                    /** @enum {string} */
                                    status: "initializing" | "qr" | "pairing" | "connecting" | "ready" | "disconnected" | "logged_out" | "replaced" | "restricted" | "banned" | "outdated";
                                    phoneNumber: string | null;
                                    name: string | null;
                                    isDefault: boolean;
                                    qr: string | null;
                                    pairingCode: string | null;
                                    expiresAt: string | null;
                                    /** @description How long the QR or the code can be used from now on: for a reader whose clock is wrong */
                                    expiresInMs: number | null;
                                    expectedPhone: string | null;
                                    problem: {
                                        code: string;
                                        message: string;
                                        action: string;
                                        /** @description When WhatsApp said that it ends by itself */
                                        until: string | null;
                                        /** @description What was paired instead of the right number */
                                        scannedPhone: string | null;
                                        /** @description The name of the number as which that phone is connected here already */
                                        connectedAs: string | null;
                                    } | null;
                                    /** @description What a number cannot do for a while although it is connected */
                                    notice: {
                                        code: string;
                                        message: string;
                                        action: string;
                                        until: string;
                                    } | null;
                                    /** @description When it connects again by itself */
                                    nextAttemptAt: string | null;
                                    lastSeenAt: string | null;
                                }[];
                            }[];
                            total: number;
                            nextCursor: string | null;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ghl/location/{locationId}/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The numbers of a location
         * @description For the operator, a page of the location, a service key with the scope sessions:read.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    locationId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            sessions: {
                                id: string;
                                locationId: string;
                                /** @enum {string} */
                                status: "initializing" | "qr" | "pairing" | "connecting" | "ready" | "disconnected" | "logged_out" | "replaced" | "restricted" | "banned" | "outdated";
                                phoneNumber: string | null;
                                name: string | null;
                                isDefault: boolean;
                                qr: string | null;
                                pairingCode: string | null;
                                expiresAt: string | null;
                                /** @description How long the QR or the code can be used from now on: for a reader whose clock is wrong */
                                expiresInMs: number | null;
                                expectedPhone: string | null;
                                problem: {
                                    code: string;
                                    message: string;
                                    action: string;
                                    /** @description When WhatsApp said that it ends by itself */
                                    until: string | null;
                                    /** @description What was paired instead of the right number */
                                    scannedPhone: string | null;
                                    /** @description The name of the number as which that phone is connected here already */
                                    connectedAs: string | null;
                                } | null;
                                /** @description What a number cannot do for a while although it is connected */
                                notice: {
                                    code: string;
                                    message: string;
                                    action: string;
                                    until: string;
                                } | null;
                                /** @description When it connects again by itself */
                                nextAttemptAt: string | null;
                                lastSeenAt: string | null;
                            }[];
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        /**
         * Add a number and begin pairing
         * @description For the operator, an admin’s page, a service key with the scope sessions:write.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    locationId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        phoneNumber?: string;
                        expectedPhone?: string;
                    } | null;
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            session_id: string;
                            status: string;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ghl/location/{locationId}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Stream of a location: its numbers, and hints that messages moved
         * @description For the operator, a page of the location, a service key with the scope sessions:read.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    locationId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Events named session, removed and messages */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ghl/location/{locationId}/session/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Stream of one number
         * @description For the operator, a page of the location, a service key with the scope sessions:read.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    locationId: string;
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Events named session */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ghl/location/{locationId}/session/{id}/restart": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Connect again, or a new QR or code
         * @description For the operator, an admin’s page, a service key with the scope sessions:write.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    locationId: string;
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        phoneNumber?: string;
                    } | null;
                };
            };
            responses: {
                /** @description Default Response */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            locationId: string;
                            /** @enum {string} */
                            status: "initializing" | "qr" | "pairing" | "connecting" | "ready" | "disconnected" | "logged_out" | "replaced" | "restricted" | "banned" | "outdated";
                            phoneNumber: string | null;
                            name: string | null;
                            isDefault: boolean;
                            qr: string | null;
                            pairingCode: string | null;
                            expiresAt: string | null;
                            /** @description How long the QR or the code can be used from now on: for a reader whose clock is wrong */
                            expiresInMs: number | null;
                            expectedPhone: string | null;
                            problem: {
                                code: string;
                                message: string;
                                action: string;
                                /** @description When WhatsApp said that it ends by itself */
                                until: string | null;
                                /** @description What was paired instead of the right number */
                                scannedPhone: string | null;
                                /** @description The name of the number as which that phone is connected here already */
                                connectedAs: string | null;
                            } | null;
                            /** @description What a number cannot do for a while although it is connected */
                            notice: {
                                code: string;
                                message: string;
                                action: string;
                                until: string;
                            } | null;
                            /** @description When it connects again by itself */
                            nextAttemptAt: string | null;
                            lastSeenAt: string | null;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ghl/location/{locationId}/session/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Log the number out and remove it
         * @description For the operator, an admin’s page, a service key with the scope sessions:write.
         */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    locationId: string;
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        /**
         * Rename a number, or make it the default
         * @description For the operator, an admin’s page, a service key with the scope sessions:write.
         */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    locationId: string;
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        name?: string | null;
                        /** @enum {boolean} */
                        isDefault?: true;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            locationId: string;
                            /** @enum {string} */
                            status: "initializing" | "qr" | "pairing" | "connecting" | "ready" | "disconnected" | "logged_out" | "replaced" | "restricted" | "banned" | "outdated";
                            phoneNumber: string | null;
                            name: string | null;
                            isDefault: boolean;
                            qr: string | null;
                            pairingCode: string | null;
                            expiresAt: string | null;
                            /** @description How long the QR or the code can be used from now on: for a reader whose clock is wrong */
                            expiresInMs: number | null;
                            expectedPhone: string | null;
                            problem: {
                                code: string;
                                message: string;
                                action: string;
                                /** @description When WhatsApp said that it ends by itself */
                                until: string | null;
                                /** @description What was paired instead of the right number */
                                scannedPhone: string | null;
                                /** @description The name of the number as which that phone is connected here already */
                                connectedAs: string | null;
                            } | null;
                            /** @description What a number cannot do for a while although it is connected */
                            notice: {
                                code: string;
                                message: string;
                                action: string;
                                until: string;
                            } | null;
                            /** @description When it connects again by itself */
                            nextAttemptAt: string | null;
                            lastSeenAt: string | null;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/ghl/location/{locationId}/session/{id}/pairing-link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A link of 30 minutes for the client’s own phone
         * @description For the operator, an admin’s page, a service key with the scope sessions:write.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    locationId: string;
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            url: string;
                            expiresAt: string;
                            /** @description From the receipt, for callers whose clock is wrong */
                            expiresInMs: number;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ghl/location/{locationId}/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A location’s settings
         * @description For the operator, a page of the location, a service key with the scope sessions:read.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    locationId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            groups: boolean;
                            label: boolean;
                            markRead: boolean;
                            holdAfterMinutes: number;
                            pinnedSessionId: string | null;
                            historyDays: number;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        /**
         * Change them
         * @description For the operator, an admin’s page, a service key with the scope sessions:write.
         */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    locationId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        groups?: boolean;
                        label?: boolean;
                        markRead?: boolean;
                        holdAfterMinutes?: number;
                        pinnedSessionId?: string | null;
                        historyDays?: number;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            groups: boolean;
                            label: boolean;
                            markRead: boolean;
                            holdAfterMinutes: number;
                            pinnedSessionId: string | null;
                            historyDays: number;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ghl/location/{locationId}/session/{id}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How far the import of history is
         * @description For the operator, a page of the location, a service key with the scope sessions:read.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    locationId: string;
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            state: "none" | "collecting" | "importing" | "done";
                            days: number;
                            found: number;
                            imported: number;
                            failed: number;
                            startedAt: string | null;
                            finishedAt: string | null;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Messages by state, newest first
         * @description For the operator, a page of the location, a service key with the scope messages:read.
         */
        get: {
            parameters: {
                query?: {
                    state?: "received" | "queued" | "sending" | "sent" | "delivered" | "read" | "failed" | "held" | "ignored";
                    /** @description `person`: failed or held, and not discarded. `delivery`: live and on its way. The answer has a `total` then */
                    waitsFor?: "person" | "delivery";
                    /** @description Which stand first */
                    order?: "newest" | "oldest";
                    locationId?: string;
                    sessionId?: string;
                    limit?: number;
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            messages: {
                                id: string;
                                locationId: string;
                                sessionId: string | null;
                                /** @enum {string} */
                                direction: "inbound" | "outbound";
                                kind: string;
                                /** @enum {string} */
                                state: "received" | "queued" | "sending" | "sent" | "delivered" | "read" | "failed" | "held" | "ignored";
                                chat: string | null;
                                waMessageId: string | null;
                                ghlMessageId: string | null;
                                attempts: number;
                                nextAttemptAt: string | null;
                                error: {
                                    code: string;
                                    message: string;
                                    action: string | null;
                                } | null;
                                /** @description Whom it is from or for: the name on WhatsApp (or a group’s subject) and the number, as far as known */
                                contact: {
                                    name: string | null;
                                    phoneNumber: string | null;
                                    isGroup: boolean;
                                } | null;
                                /** @description While it is on its way: how many of its chat go before it, and what the first of them met last */
                                queue: {
                                    ahead: number;
                                    reason: {
                                        code: string;
                                        message: string;
                                    } | null;
                                } | null;
                                /** @description When it was written, where that is known apart from `createdAt`, when it reached the bridge */
                                writtenAt: string | null;
                                /** @description When a person said to drop it; its state may stay `failed` */
                                discardedAt: string | null;
                                /** @description Its first words (about 80 characters), or what it is; in lists only, and never for plain users of a page */
                                preview: string | null;
                                createdAt: string;
                                updatedAt: string;
                            }[];
                            nextCursor: string | null;
                            /** @description With `waitsFor`: how many there are in all */
                            total: number | null;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/messages/waiting": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How many failed or held messages wait for a word
         * @description For the operator, a page of the location, a service key with the scope messages:read.
         */
        get: {
            parameters: {
                query?: {
                    /** @description Both when absent */
                    state?: "failed" | "held";
                    locationId?: string;
                    sessionId?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            messages: number;
                            /** @description How many of them are held */
                            held: number;
                            locations: number;
                            /** @description Names the newest of them; null when there is none */
                            upTo: string | null;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/messages/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send all that wait, a batch at a time, the oldest first; repeat with `after` until it is null
         * @description For the operator, an admin’s page, a service key with the scope messages:write.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * @description Both when absent
                         * @enum {string}
                         */
                        state?: "failed" | "held";
                        locationId?: string;
                        sessionId?: string;
                        /** @description From `GET /api/messages/waiting`: what came later is left alone */
                        upTo?: string;
                        /** @description From the answer before, so that one that fails again is not met twice */
                        after?: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            done: number;
                            /** @description For the next batch; null after the last */
                            after: string | null;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/messages/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a failed or held message; never twice
         * @description For the operator, an admin’s page, a service key with the scope messages:write.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            locationId: string;
                            sessionId: string | null;
                            /** @enum {string} */
                            direction: "inbound" | "outbound";
                            kind: string;
                            /** @enum {string} */
                            state: "received" | "queued" | "sending" | "sent" | "delivered" | "read" | "failed" | "held" | "ignored";
                            chat: string | null;
                            waMessageId: string | null;
                            ghlMessageId: string | null;
                            attempts: number;
                            nextAttemptAt: string | null;
                            error: {
                                code: string;
                                message: string;
                                action: string | null;
                            } | null;
                            /** @description Whom it is from or for: the name on WhatsApp (or a group’s subject) and the number, as far as known */
                            contact: {
                                name: string | null;
                                phoneNumber: string | null;
                                isGroup: boolean;
                            } | null;
                            /** @description While it is on its way: how many of its chat go before it, and what the first of them met last */
                            queue: {
                                ahead: number;
                                reason: {
                                    code: string;
                                    message: string;
                                } | null;
                            } | null;
                            /** @description When it was written, where that is known apart from `createdAt`, when it reached the bridge */
                            writtenAt: string | null;
                            /** @description When a person said to drop it; its state may stay `failed` */
                            discardedAt: string | null;
                            /** @description Its first words (about 80 characters), or what it is; in lists only, and never for plain users of a page */
                            preview: string | null;
                            createdAt: string;
                            updatedAt: string;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/messages/discard": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Drop all that wait, likewise
         * @description For the operator, an admin’s page, a service key with the scope messages:write.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * @description Both when absent
                         * @enum {string}
                         */
                        state?: "failed" | "held";
                        locationId?: string;
                        sessionId?: string;
                        /** @description From `GET /api/messages/waiting`: what came later is left alone */
                        upTo?: string;
                        /** @description From the answer before, so that one that fails again is not met twice */
                        after?: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            done: number;
                            /** @description For the next batch; null after the last */
                            after: string | null;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/messages/{id}/discard": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Drop a failed or held message
         * @description For the operator, an admin’s page, a service key with the scope messages:write.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            locationId: string;
                            sessionId: string | null;
                            /** @enum {string} */
                            direction: "inbound" | "outbound";
                            kind: string;
                            /** @enum {string} */
                            state: "received" | "queued" | "sending" | "sent" | "delivered" | "read" | "failed" | "held" | "ignored";
                            chat: string | null;
                            waMessageId: string | null;
                            ghlMessageId: string | null;
                            attempts: number;
                            nextAttemptAt: string | null;
                            error: {
                                code: string;
                                message: string;
                                action: string | null;
                            } | null;
                            /** @description Whom it is from or for: the name on WhatsApp (or a group’s subject) and the number, as far as known */
                            contact: {
                                name: string | null;
                                phoneNumber: string | null;
                                isGroup: boolean;
                            } | null;
                            /** @description While it is on its way: how many of its chat go before it, and what the first of them met last */
                            queue: {
                                ahead: number;
                                reason: {
                                    code: string;
                                    message: string;
                                } | null;
                            } | null;
                            /** @description When it was written, where that is known apart from `createdAt`, when it reached the bridge */
                            writtenAt: string | null;
                            /** @description When a person said to drop it; its state may stay `failed` */
                            discardedAt: string | null;
                            /** @description Its first words (about 80 characters), or what it is; in lists only, and never for plain users of a page */
                            preview: string | null;
                            createdAt: string;
                            updatedAt: string;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ledger/{locationId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What came in a day, and what became of it
         * @description For the operator, a page of the location, a service key with the scope messages:read.
         */
        get: {
            parameters: {
                query?: {
                    /** @description A day of the location’s time zone (UTC while GHL has not said which); today when absent */
                    day?: string;
                };
                header?: never;
                path: {
                    locationId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            inbound: {
                                received: number;
                                inGhl: number;
                                waiting: number;
                                failed: number;
                                discarded: number;
                            };
                            outbound: {
                                accepted: number;
                                sent: number;
                                delivered: number;
                                read: number;
                                failed: number;
                                discarded: number;
                                held: number;
                                waiting: number;
                            };
                            day: string;
                            /** @description IANA name of the zone whose midnights begin and end the day */
                            timeZone: string;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/contacts/split": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * People who are two contacts, and how to join them
         * @description For the operator, a page of the location, a service key with the scope messages:read.
         */
        get: {
            parameters: {
                query: {
                    locationId: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            split: {
                                /** @enum {string} */
                                kind: "several_ghl_contacts" | "shared_ghl_contact" | "number_moved" | "number_elsewhere";
                                people: {
                                    contactId: string;
                                    lid: string | null;
                                    phoneNumber: string | null;
                                    pushName: string | null;
                                    ghlContactId: string | null;
                                }[];
                                ghlContactIds: string[];
                                message: string;
                                action: string;
                            }[];
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Service keys, without the keys
         * @description For the operator.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            keys: {
                                id: string;
                                name: string;
                                locationId: string | null;
                                scopes: string[];
                                createdAt: string;
                                lastUsedAt: string | null;
                            }[];
                        };
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        /**
         * A service key; shown this once
         * @description For the operator.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        name: string;
                        locationId?: string;
                        scopes: ("read" | "write" | "proxy:read" | "proxy:write" | "media" | "products" | "sync" | "tokens" | "messages:inbound" | "locations:read" | "messages:read" | "messages:write" | "sessions:read" | "sessions:write" | "metrics")[];
                    };
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            key: string;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke a service key
         * @description For the operator.
         */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who changed what
         * @description For the operator.
         */
        get: {
            parameters: {
                query?: {
                    locationId?: string;
                    callerId?: string;
                    limit?: number;
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            entries: {
                                id: string;
                                at: string;
                                caller: {
                                    /** @enum {string} */
                                    kind: "operator" | "page" | "service";
                                    id: string | null;
                                    /** @description Of the service key, revoked or not */
                                    name: string | null;
                                };
                                /** @description Method and route */
                                action: string;
                                locationId: string | null;
                                locationName: string | null;
                                /** @description An id, or the path of a proxied call */
                                target: string | null;
                                /** @description Of the key, the number or the installation */
                                targetName: string | null;
                                outcome: string;
                            }[];
                            nextCursor: string | null;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/token-access/{installationId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A valid access token, renewed if need be
         * @description For the operator, a service key with the scope tokens.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    installationId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The token */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            success: boolean;
                            access_token: string;
                            installation_id: string;
                            locationId?: string | null;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/products/create": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A product in GHL, with its price; repeated safely
         * @description For the operator, a service key with the scope products.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        installation_id: string;
                        name: string;
                        description?: string;
                        /** @enum {string} */
                        productType: "DIGITAL" | "PHYSICAL" | "SERVICE" | "PHYSICAL/DIGITAL";
                        price?: number;
                        currency?: string;
                        availableInStore?: boolean;
                    };
                };
            };
            responses: {
                /** @description It was there already */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            success: boolean;
                            productId?: string | null;
                            message: string;
                            goHighLevelResponse?: Record<string, never>;
                        };
                    };
                };
                /** @description Made */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            success: boolean;
                            productId?: string | null;
                            message: string;
                            goHighLevelResponse?: Record<string, never>;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sync/call-logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Copy Voice AI call logs from GHL
         * @description For the operator, a service key with the scope sync.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description An instant, also as milliseconds since 1970, or a day. A day without a time is one of the location’s own time zone, from its first moment to its last */
                        startDate?: string | number;
                        /** @description An instant, also as milliseconds since 1970, or a day. A day without a time is one of the location’s own time zone, from its first moment to its last */
                        endDate?: string | number;
                        locationId?: string;
                    } | null;
                };
            };
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            success: boolean;
                            running: boolean;
                            records: number;
                            skipped: number;
                            results: Record<string, never>[];
                        };
                    };
                };
                /** @description It goes on; see GET /api/sync/status */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            success: boolean;
                            running: boolean;
                            records: number;
                            skipped: number;
                            results: Record<string, never>[];
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/call-logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The call logs that were copied
         * @description For the operator, a page of the location, a service key with the scope sync.
         */
        get: {
            parameters: {
                query?: {
                    locationId?: string;
                    /** @description An instant or a day. A day without a time is one of the location’s own time zone, from its first moment to its last */
                    startDate?: string;
                    /** @description An instant or a day. A day without a time is one of the location’s own time zone, from its first moment to its last */
                    endDate?: string;
                    limit?: number;
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description A page of them */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            callLogs: ({
                                callId: string;
                                agentId?: string;
                                ghlContactId?: string;
                                durationSec?: number;
                                isTrial: boolean;
                                calledAt: string;
                            } & {
                                [key: string]: unknown;
                            })[];
                            nextCursor: string | null;
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/whatsapp/webhook": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What another WhatsApp engine received
         * @description For the operator, a service key with the scope messages:inbound.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        from: string;
                        message?: string | null;
                        messageType?: string;
                        /** Format: uri */
                        mediaUrl?: string | null;
                        sessionId: string;
                        whatsappMsgId: string;
                        pushName?: string | null;
                    };
                };
            };
            responses: {
                /** @description Committed */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            accepted: "enqueued" | "duplicate";
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Counts per hour and times to delivery
         * @description For the operator, a page of the location, a service key with the scope messages:read.
         */
        get: {
            parameters: {
                query: {
                    from: string;
                    to: string;
                    locationId?: string;
                    sessionId?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            inbound: {
                                received: number;
                                inGhl: number;
                                waiting: number;
                                failed: number;
                                discarded: number;
                            };
                            outbound: {
                                accepted: number;
                                sent: number;
                                delivered: number;
                                read: number;
                                failed: number;
                                discarded: number;
                                held: number;
                                waiting: number;
                            };
                            from: string;
                            to: string;
                            hours: {
                                at: string;
                                inbound: number;
                                outbound: number;
                            }[];
                            timings: {
                                toGhl: {
                                    count: number;
                                    p50Ms: number;
                                    p95Ms: number;
                                } | null;
                                toWhatsApp: {
                                    count: number;
                                    p50Ms: number;
                                    p95Ms: number;
                                } | null;
                                toPhone: {
                                    count: number;
                                    p50Ms: number;
                                    p95Ms: number;
                                } | null;
                            };
                            /** @description Empty without a locationId or a sessionId */
                            numbers: {
                                toGhl: {
                                    count: number;
                                    p50Ms: number;
                                    p95Ms: number;
                                } | null;
                                toWhatsApp: {
                                    count: number;
                                    p50Ms: number;
                                    p95Ms: number;
                                } | null;
                                toPhone: {
                                    count: number;
                                    p50Ms: number;
                                    p95Ms: number;
                                } | null;
                                sessionId: string;
                                inbound: number;
                                outbound: number;
                            }[];
                        };
                    };
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Figures for Prometheus
         * @description For the operator, a service key with the scope metrics.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Its text format */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/console/setup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How the server is set up, without secrets
         * @description For the operator.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            publicUrl: string;
                            redirectUri: string;
                            eventsUrl: string;
                            deliveryUrl: string;
                            pageUrl: string;
                            /** @enum {string} */
                            store: "embedded" | "postgres" | "supabase";
                            /** @enum {string} */
                            providerType: "custom" | "sms";
                            lastEventAt: string | null;
                        };
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/console/counts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How many locations are in which state
         * @description For the operator.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            tokens: {
                                [key: string]: number;
                            };
                            numbers: {
                                [key: string]: number;
                            };
                            letters: {
                                [key: string]: number;
                            };
                        };
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/console/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Stream of hints that something changed
         * @description For the operator.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Events that name what changed */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ghl/location/{locationId}/proxy/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * GHL’s API with the location’s token and under its limit; status, headers and body are GHL’s
         * @description For the operator, a service key with the scope proxy:read or proxy:write or media.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    locationId: string;
                    path: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What GHL answered */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        /**
         * GHL’s API with the location’s token and under its limit; status, headers and body are GHL’s
         * @description For the operator, a service key with the scope proxy:read or proxy:write or media.
         */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    locationId: string;
                    path: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What GHL answered */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        /**
         * GHL’s API with the location’s token and under its limit; status, headers and body are GHL’s
         * @description For the operator, a service key with the scope proxy:read or proxy:write or media.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    locationId: string;
                    path: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What GHL answered */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        /**
         * GHL’s API with the location’s token and under its limit; status, headers and body are GHL’s
         * @description For the operator, a service key with the scope proxy:read or proxy:write or media.
         */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    locationId: string;
                    path: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What GHL answered */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        /**
         * GHL’s API with the location’s token and under its limit; status, headers and body are GHL’s
         * @description For the operator, a service key with the scope proxy:read or proxy:write or media.
         */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    locationId: string;
                    path: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What GHL answered */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description The request is wrong */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description No caller: no valid bearer */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Not for this caller, or not for this location */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Too many requests, ours or GHL’s */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
                /** @description Refused or failed; the code says why */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Refusal"];
                    };
                };
            };
        };
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Refusal: {
            error: {
                /** @description Stable; what a program decides by */
                code: string;
                /** @description What is certain */
                message: string;
                /** @description What to do next */
                action?: string;
            };
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
