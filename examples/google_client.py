"""Gemini by google-genai: plain and streamed.

python examples/google_client.py --demo
"""

import _demo

_demo.begin()

from amplitude_ai import get_google_genai

Client = get_google_genai()
client = Client(amplitude_user_id="user123")
print(client.models.generate_content(model="gemini-3.8-flash", contents="What is AI?").text)
for chunk in client.models.generate_content_stream(model="gemini-3.8-flash", contents="And in one word?"):
    print(chunk.text, end="")
print()
client.close()
_demo.end()
