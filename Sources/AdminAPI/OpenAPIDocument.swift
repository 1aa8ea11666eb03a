import FormatAPI
import HTTPTypes
import NIOCore

/// The API in OpenAPI's words, as far as there is one: docs/http-api.md says it for people. To be kept with `ServerPages`.
enum OpenAPIDocument {
    static var response: ArtifactResponse {
        ArtifactResponse(.ok, headers: [.contentType: "application/json"], body: .bytes(ByteBuffer(string: Self.text)))
    }

    private static let text = #"""
        {"openapi":"3.1.0","info":{"title":"Entrepot","version":"1"},
        "security":[{"basic":[]},{"bearer":[]},{"session":[]}],
        "paths":{
        "/api/v1/me":{"get":{"operationId":"whoAmI","summary":"Who asks, and what the credential is confined to",
        "responses":{"200":{"description":"somebody","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Me"}}}},"401":{"$ref":"#/components/responses/Refused"}}}},
        "/api/v1/tokens":{"get":{"operationId":"listTokens","summary":"One's own tokens",
        "responses":{"200":{"description":"those that are not revoked","content":{"application/json":{"schema":{"type":"array","items":{"$ref":"#/components/schemas/Token"}}}}},"401":{"$ref":"#/components/responses/Refused"}}},
        "post":{"operationId":"makeToken","summary":"Makes a token; its text is in this answer alone",
        "requestBody":{"required":true,"content":{"application/json":{"schema":{"type":"object","required":["name"],"properties":{"name":{"type":"string"},"grants":{"type":"array","items":{"type":"string"}},"expiresIn":{"type":"string","examples":["90d"]}}}}}},
        "responses":{"201":{"description":"made","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Token"}}}},"400":{"$ref":"#/components/responses/Refused"},"401":{"$ref":"#/components/responses/Refused"},"403":{"$ref":"#/components/responses/Refused"},"409":{"$ref":"#/components/responses/Refused"}}}},
        "/api/v1/tokens/{id}":{"delete":{"operationId":"revokeToken","summary":"Revokes a token","parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"integer"}}],
        "responses":{"204":{"description":"revoked"},"401":{"$ref":"#/components/responses/Refused"},"403":{"$ref":"#/components/responses/Refused"},"404":{"$ref":"#/components/responses/Refused"}}}}},
        "components":{
        "securitySchemes":{"basic":{"type":"http","scheme":"basic"},"bearer":{"type":"http","scheme":"bearer"},"session":{"type":"apiKey","in":"cookie","name":"entrepot"}},
        "responses":{"Refused":{"description":"why not","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}},
        "schemas":{
        "Error":{"type":"object","required":["error"],"properties":{"error":{"type":"object","required":["code","message"],"properties":{"code":{"type":"string"},"message":{"type":"string"}}}}},
        "Me":{"type":"object","required":["name","roles","means"],"properties":{"name":{"type":"string"},"roles":{"type":"array","items":{"type":"string"}},"means":{"type":"string"},"confinedTo":{"type":"array","items":{"type":"string"}}}},
        "Token":{"type":"object","required":["id","name","grants","created"],"properties":{"id":{"type":"integer"},"name":{"type":"string"},"grants":{"type":"array","items":{"type":"string"}},"created":{"type":"string","format":"date-time"},"expires":{"type":"string","format":"date-time"},"lastUsed":{"type":"string","format":"date-time"},"lastAddress":{"type":"string"},"token":{"type":"string"}}}}}}

        """#
}
