using System.Reflection;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;

namespace Headstart.Errors;

/// <summary>
/// Refuses query parameters that an endpoint does not have. Ignored, a misspelt one would do damage: <c>?dry_run=true</c> would store, and
/// <c>?catgory=cats</c> would list everything.
/// </summary>
internal static class QueryParameters
{
    public static RouteGroupBuilder RefuseUnknownParameters(this RouteGroupBuilder routes)
    {
        ((IEndpointConventionBuilder)routes).Add(endpoint =>
        {
            string[] names = [.. endpoint.Metadata.OfType<MethodInfo>().Single().GetParameters().SelectMany(NamesIn)];
            endpoint.Before(http => ValueTask.FromResult<IResult?>(Refuse(http.Request, names)));
        });
        return routes.ProducesProblem(StatusCodes.Status400BadRequest);
    }

    private static ProblemHttpResult? Refuse(HttpRequest request, string[] names)
    {
        if (request.Query.Count == 0)
        {
            return null;
        }

        string[] known = [.. names.Where(name => !request.RouteValues.ContainsKey(name))];
        if (request.Query.Keys.FirstOrDefault(sent => !known.Contains(sent, StringComparer.OrdinalIgnoreCase)) is not { } unknown)
        {
            return null;
        }

        var plain = unknown.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
        var meant = known.FirstOrDefault(name => name.Equals(plain, StringComparison.OrdinalIgnoreCase))
            ?? UnreadableRequests.Meant(plain, known);
        var cure = meant is not null ? $"use {meant}." : known.Length == 0 ? "this path takes none."
            : $"this path takes {string.Join(", ", known)}.";
        return Problems.Of(StatusCodes.Status400BadRequest, "unknown-parameter",
            $"Unknown query parameter \"{RequestBodies.Readable(unknown)}\"; {cure}");
    }

    /// <summary>The names of the query parameters that a parameter of a handler stands for, and perhaps of parts of the path.</summary>
    private static IEnumerable<string> NamesIn(ParameterInfo parameter) => parameter.IsDefined(typeof(AsParametersAttribute))
        ? parameter.ParameterType.GetProperties().SelectMany(property => NameOf(property, property.Name, property.PropertyType))
        : NameOf(parameter, parameter.Name!, parameter.ParameterType);

    private static IEnumerable<string> NameOf(ICustomAttributeProvider member, string name, Type type)
    {
        var attributes = member.GetCustomAttributes(inherit: true);
        return attributes.OfType<IFromQueryMetadata>().FirstOrDefault() is { } query ? [query.Name ?? name]
            : attributes.Any(other => other is IFromHeaderMetadata or IFromBodyMetadata or IFromServiceMetadata) || !IsText(type) ? []
            : [name];
    }

    /// <summary>Whether ASP.NET reads it from the path or the query when no attribute says where from.</summary>
    private static bool IsText(Type type) => (Nullable.GetUnderlyingType(type) ?? type) is var read
        && (read == typeof(string) || read == typeof(Guid) || read == typeof(DateTime) || read.IsPrimitive || read.IsEnum);
}
