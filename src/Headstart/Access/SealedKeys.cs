using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;

namespace Headstart.Access;

/// <summary>
/// Data protection keys that all web nodes share are stored in the database, encrypted (AES-256-GCM) with a key derived from
/// <see cref="Settings.SharedSecret"/> (HKDF, RFC 5869): a stolen database alone does not suffice to forge cookies.
/// </summary>
internal sealed class SealedKeys(Settings settings) : IXmlEncryptor
{
    public EncryptedXmlInfo Encrypt(XElement plaintextElement)
    {
        var plain = Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting));
        var (nonce, tag, cipher) = (RandomNumberGenerator.GetBytes(AesGcm.NonceByteSizes.MaxSize), new byte[AesGcm.TagByteSizes.MaxSize],
            new byte[plain.Length]);
        using var aes = Cipher(settings);
        aes.Encrypt(nonce, plain, cipher, tag);
        return new(new XElement("sealed", Part("nonce", nonce), Part("tag", tag), Part("cipher", cipher)), typeof(OpenedKeys));

        static XAttribute Part(string name, byte[] bytes) => new(name, Convert.ToBase64String(bytes));
    }

    internal static AesGcm Cipher(Settings settings) => new(
        HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(settings.SharedSecret!), 32,
        info: "data protection keys"u8.ToArray()), AesGcm.TagByteSizes.MaxSize);
}

/// <summary>Decrypts what <see cref="SealedKeys"/> encrypted; data protection creates it by the type name stored with the key.</summary>
internal sealed class OpenedKeys(IServiceProvider services) : IXmlDecryptor
{
    /// <exception cref="CryptographicException">It was sealed with another secret.</exception>
    public XElement Decrypt(XElement encryptedElement)
    {
        var cipher = Part("cipher");
        var plain = new byte[cipher.Length];
        using var aes = SealedKeys.Cipher(services.GetRequiredService<Settings>());
        aes.Decrypt(Part("nonce"), cipher, Part("tag"), plain);
        return XElement.Parse(Encoding.UTF8.GetString(plain));

        byte[] Part(string name) => Convert.FromBase64String((string)encryptedElement.Attribute(name)!);
    }
}
