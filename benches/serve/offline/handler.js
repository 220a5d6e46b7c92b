// The functions behind serverless-offline. The authorizer answers at once, though the real one asks an auth service: what is
// measured is the gateway, and this can only make it faster.
"use strict"

const http = require("node:http")

const agent = new http.Agent({ keepAlive: true })
const [hostname, port] = process.env.UPSTREAM.split(":")

exports.authorize = async () => ({
  principalId: "u-7",
  policyDocument: {
    Version: "2012-10-17",
    Statement: [{ Action: "execute-api:Invoke", Effect: "Allow", Resource: ["arn:aws:execute-api:*"] }],
  },
  context: { "x-user-id": "u-7", "x-user-token": "t", "x-user-scope": "s", "x-auth-type": "bearer" },
})

exports.orders = (event) =>
  new Promise((resolve, reject) => {
    const { authorizer } = event.requestContext
    const headers = { ...event.headers, host: process.env.UPSTREAM }
    for (const name of ["x-user-id", "x-user-token", "x-user-scope", "x-auth-type"]) headers[name] = authorizer[name]
    const request = http.request({ agent, hostname, port, method: event.httpMethod, path: event.path, headers }, (answer) => {
      const chunks = []
      answer.on("data", (chunk) => chunks.push(chunk))
      answer.on("end", () =>
        resolve({
          statusCode: answer.statusCode,
          headers: { "content-type": answer.headers["content-type"] },
          body: Buffer.concat(chunks).toString(),
        }),
      )
    })
    request.on("error", reject)
    request.end(event.body)
  })
